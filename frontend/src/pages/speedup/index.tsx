// The page Speedup: what fused attention gains over a baseline, and why.

import { useEffect } from "preact/hooks";
import { UnusableError } from "../../api/client";
import type { Pairing, Prediction, Speedup } from "../../api/speedup";
import { ErrorNotice, FileErrors, Reading } from "../../components/notices";
import { useLoaded } from "../../state/loaded";
import type { PageProps } from "../registry";
import { Compared } from "./Compared";
import { PairBar } from "./PairBar";
import { Predicted } from "./Predicted";
import {
  ALONE,
  BASE,
  type Chosen,
  chosenOrigin,
  chosenPair,
  FROM,
  FUSED,
  type Origin,
  pairingOf,
  withPair,
} from "./pair";

/** A prediction, and what it takes speedups from. */
interface PredictedFrom {
  prediction: Prediction;
  origin: Origin | null;
}

export function SpeedupPage(props: PageProps) {
  const { client, runs, selection, state, store } = props;
  const ids = runs.map((run) => run.id);
  const pairsKey = JSON.stringify(ids);
  const pairs = useLoaded<Pairing>(pairsKey, (ask) => client.view("pairs", ids, ask));
  const pairing = pairs.data && pairs.dataKey === pairsKey ? pairingOf(pairs.data, ids) : null;
  const isAwaited = pairing === null && pairs.error === null;
  const broken = pairing?.errors ?? [];
  const usable = runs.filter((run) => broken.every((error) => error.run !== run.id));
  const chosen = chosenPair(
    usable.map((run) => run.id),
    state.of,
    pairing,
    isAwaited,
  );

  const base = chosen?.base ?? "";
  const fused = chosen?.fused ?? null;
  const speedupKey = chosen && fused !== null ? JSON.stringify([base, fused, selection]) : null;
  const speedup = useLoaded<Speedup>(speedupKey, (ask) =>
    client.view("speedup", [base, fused ?? ""], { ...ask, selection }),
  );

  const wished = chosenOrigin(state.of, pairing);
  const isHeld = wished !== null && client.holds("prediction", [base, ...wished.runs]);
  const origin = isHeld ? wished : null;
  const isByHand = state.of[FROM] !== undefined;
  const isAlone = chosen !== null && fused === null;
  const predictionKey =
    isAlone && !isAwaited ? JSON.stringify([base, origin, isByHand, selection]) : null;
  const prediction = useLoaded<PredictedFrom>(predictionKey, async (ask) => {
    const { signal, onProgress } = ask;
    const from = (each: Origin | null) => {
      const table = each?.table ? ([["table", each.table]] as const) : [];
      return client.view<Prediction>("prediction", [base, ...(each?.runs ?? [])], {
        selection: [...selection, ...table],
        signal,
        onProgress,
      });
    };
    const found = await from(origin);
    // What nobody chose, and is from another device, is not shown.
    const isForeign = found.warnings.some((warning) => warning.code === "other_device");
    if (!isForeign || isByHand || origin === null) return { prediction: found, origin };
    return { prediction: await from(null), origin: null };
  });

  const shown = fused === null ? prediction : speedup;
  const key = fused === null ? predictionKey : speedupKey;
  const labelOf = (id: string) => runs.find((run) => run.id === id)?.label ?? id;

  // biome-ignore lint/correctness/useExhaustiveDependencies: reading has changed what `runs` says.
  useEffect(() => {
    if (pairs.data || speedup.data || prediction.data) props.onRead();
  }, [pairs.data, speedup.data, prediction.data]);

  const isComparable = (one: string, other: string) => client.holds("speedup", [one, other]);

  function choose(change: Partial<Pick<Chosen, "base" | "fused">>): void {
    if (chosen === null) return;
    const of = withPair(state.of, chosen, change);
    const isPair = isComparable(of[BASE] ?? "", of[FUSED] ?? "");
    store.write({ of: isPair ? of : { ...of, [FUSED]: ALONE } }, "push");
  }

  const progress = { ...pairs.progress, ...shown.progress };
  return (
    <>
      {(shown.isLoading || isAwaited) && (
        <Reading progress={progress} labelOf={labelOf} onStop={props.onStop} />
      )}
      <FileErrors errors={broken} onRetry={pairs.again} />
      {chosen && usable.length > 1 && (
        <PairBar
          runs={usable}
          chosen={chosen}
          pairing={pairing}
          roles={
            fused !== null && speedup.dataKey === speedupKey ? (speedup.data?.roles ?? null) : null
          }
          isComparable={isComparable}
          onChoose={choose}
        />
      )}
      {pairs.error && client.isLive && (
        <Failed title="No pairs can be proposed" error={pairs.error} onRetry={pairs.again} />
      )}
      {shown.error && (
        <Failed
          title={fused === null ? "Nothing could be predicted" : "The runs could not be compared"}
          error={shown.error}
          onRetry={shown.again}
        />
      )}
      <div class={shown.dataKey === key ? "" : "stale"}>
        {fused !== null && speedup.data && (
          <Compared
            {...props}
            speedup={speedup.data}
            source={{ client, base, fused, selection }}
            labels={[labelOf(base), labelOf(fused)]}
          />
        )}
        {isAlone && prediction.data && (
          <Predicted
            {...props}
            prediction={prediction.data.prediction}
            origin={prediction.data.origin}
            label={labelOf(base)}
            pairing={pairing}
          />
        )}
      </div>
    </>
  );
}

function Failed(props: { title: string; error: Error; onRetry: () => void }) {
  const { title, error, onRetry } = props;
  if (error instanceof UnusableError) return <FileErrors errors={error.errors} onRetry={onRetry} />;
  return <ErrorNotice title={title} message={error.message} onRetry={onRetry} />;
}
