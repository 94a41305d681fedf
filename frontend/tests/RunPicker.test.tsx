import { expect, test, vi } from "vitest";
import { RunPicker } from "../src/components/RunPicker";
import { button, click, draw, type } from "./dom";
import { run } from "./fixtures";

const RUNS = [run("math"), run("fused"), run("broken", { state: "failed", error: "no trace" })];

async function picker(chosen: readonly string[]) {
  const onChoose = vi.fn();
  const onOpen = vi.fn();
  const root = await draw(
    <RunPicker runs={RUNS} chosen={chosen} onChoose={onChoose} onOpen={onOpen} />,
  );
  return { root, onChoose, onOpen };
}

test("the first chip is the base, and a click makes another one it", async () => {
  const { root, onChoose } = await picker(["math", "fused"]);
  expect(root.querySelector(".chip em")?.parentElement?.textContent).toContain("math");
  await click(root.querySelector("[aria-label='Make fused the base']"));
  expect(onChoose).toHaveBeenCalledWith(["fused", "math"]);
});

test("a chip can be removed", async () => {
  const { root, onChoose } = await picker(["math", "fused"]);
  await click(root.querySelector("[aria-label='Remove math']"));
  expect(onChoose).toHaveBeenCalledWith(["fused"]);
});

test("Alt and an arrow key move a chip", async () => {
  const { root, onChoose } = await picker(["math", "fused", "broken"]);
  root
    .querySelector("[aria-label='Make broken the base']")
    ?.dispatchEvent(
      new KeyboardEvent("keydown", { key: "ArrowLeft", altKey: true, bubbles: true }),
    );
  expect(onChoose).toHaveBeenCalledWith(["math", "broken", "fused"]);
});

test("the list looks for new files, can be filtered, and adds what is ticked", async () => {
  const { root, onChoose, onOpen } = await picker(["math"]);
  await click(button(root, "Choose runs"));
  expect(onOpen).toHaveBeenCalledTimes(1);
  expect(root.querySelectorAll("[type=checkbox]")).toHaveLength(3);
  expect(root.textContent).toContain("cannot be used");
  await type(root.querySelector("[aria-label='Filter runs']"), "FUS");
  expect(root.querySelectorAll("[type=checkbox]")).toHaveLength(1);
  const box = root.querySelector<HTMLInputElement>("[type=checkbox]");
  box?.click();
  expect(onChoose).toHaveBeenCalledWith(["math", "fused"]);
});

test("a chosen run that is gone keeps its chip, so that it can be removed", async () => {
  const { root } = await picker(["math", "gone.json"]);
  expect(root.querySelector(".chip.gone")?.textContent).toContain("gone.json");
});
