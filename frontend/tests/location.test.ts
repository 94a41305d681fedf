import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createStore } from "../src/state/location";

beforeEach(() => window.history.replaceState({ namespaceId: "kept" }, "", "#genscope"));
afterEach(() => vi.restoreAllMocks());

function goTo(hash: string): void {
  window.history.replaceState(null, "", hash);
  window.dispatchEvent(new PopStateEvent("popstate"));
}

test("what is chosen is written to the address, as a step back or in place", () => {
  const push = vi.spyOn(window.history, "pushState");
  const store = createStore(window);
  store.write({ scale: "absolute" }, "push");
  expect(window.location.hash).toBe("#genscope&gs.scale=absolute");
  expect(push).toHaveBeenCalledTimes(1);
  store.write({ search: "gemm" }, "replace");
  expect(window.location.hash).toBe("#genscope&gs.scale=absolute&gs.search=gemm");
  expect(push).toHaveBeenCalledTimes(1);
});

test("the host's state of the entry goes along and the host is told", () => {
  const told = vi.fn();
  window.addEventListener("hashchange", told);
  createStore(window).write({ search: "x" }, "push");
  expect(window.history.state).toEqual({ namespaceId: "kept" });
  expect(told).toHaveBeenCalled();
});

test("going back restores what the address says", () => {
  const store = createStore(window);
  const seen: string[] = [];
  store.listen((state) => seen.push(state.search));
  store.write({ search: "gemm" }, "push");
  goTo("#genscope&gs.search=flash");
  expect(store.read().search).toBe("flash");
  expect(seen).toEqual(["gemm", "flash"]);
});

test("while another tab is in front, its address is left alone and ours kept in mind", () => {
  const store = createStore(window);
  store.write({ search: "gemm" }, "replace");
  goTo("#scalars&gs.search=gemm");
  expect(store.read().search).toBe("gemm");
  store.write({ search: "flash" }, "replace");
  expect(window.location.hash).toBe("#scalars&gs.search=gemm");
  expect(store.read().search).toBe("flash");
});
