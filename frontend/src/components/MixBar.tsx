// A thin bar of the categories that a sum is made of.

import { duration } from "../format";
import { inOrder, paintOf } from "../theme/colors";

export function MixBar(props: { categories: Record<string, number>; sum_ns: number }) {
  const { categories, sum_ns } = props;
  if (sum_ns === 0) return null;
  const largest = Object.entries(categories).toSorted(([, a], [, b]) => b - a);
  const words = largest.map(([name, ns]) => `${name} ${duration(ns)}`).join("\n");
  return (
    <span class="mix" title={words}>
      {inOrder(Object.keys(categories)).map((name) => (
        <i
          key={name}
          style={{
            flexGrow: categories[name] ?? 0,
            background: paintOf(name).fill,
          }}
        />
      ))}
    </span>
  );
}
