// Figures as text: three significant digits, one unit a column, the exact value beside them.

/** A unit of time and how many nanoseconds it has. */
export interface TimeUnit {
  name: string;
  ns: number;
}

const TIME_UNITS: readonly TimeUnit[] = [
  { name: "ns", ns: 1 },
  { name: "µs", ns: 1e3 },
  { name: "ms", ns: 1e6 },
  { name: "s", ns: 1e9 },
];

const SMALLEST = 0.0001;

const BYTE_UNITS = ["B", "kB", "MB", "GB", "TB"];

const exactNumber = new Intl.NumberFormat("en-US");

/** The unit in which the largest of `values_ns` is at least 1 and reads shortest. */
export function timeUnit(values_ns: Iterable<number>): TimeUnit {
  let largest = 0;
  for (const value of values_ns) largest = Math.max(largest, Math.abs(value));
  // 999.6 ns would round to 1000, so it belongs to the next unit already.
  const found = TIME_UNITS.findLast((unit) => largest >= 0.9995 * unit.ns);
  return found ?? (TIME_UNITS[0] as TimeUnit);
}

/** Three significant digits, four decimals at most and no exponent: 0.0123, 1.23, 45.6, 12,300. */
export function threeDigits(value: number): string {
  if (value === 0) return "0";
  const size = Math.abs(value);
  const sign = value < 0 ? "−" : "";
  if (size < SMALLEST) return `${sign}<${SMALLEST}`;
  const [digits, exponent] = size.toExponential(2).split("e") as [string, string];
  const decimals = Math.min(4, Math.max(0, 2 - Number(exponent)));
  const rounded = Number(`${digits}e${exponent}`);
  return sign + (decimals > 0 ? rounded.toFixed(decimals) : exactNumber.format(rounded));
}

/** A duration in the column's unit, without the unit. */
export function inUnit(value_ns: number, unit: TimeUnit): string {
  return threeDigits(value_ns / unit.ns);
}

/** A duration with a unit of its own: 45.6 ms. */
export function duration(value_ns: number): string {
  if (value_ns === 0) return "0 s";
  const unit = timeUnit([value_ns]);
  return `${inUnit(value_ns, unit)} ${unit.name}`;
}

/** A duration to the nanosecond: 45,612,345 ns. */
export function exactDuration(value_ns: number): string {
  return `${exactNumber.format(value_ns)} ns`;
}

/** A part of one as per cent, without the sign: 54.3. */
export function percent(share: number): string {
  return threeDigits(share * 100);
}

export function exactPercent(share: number): string {
  return `${share * 100} %`;
}

/** A count with thousands separated. */
export function count(value: number): string {
  return exactNumber.format(value);
}

const METRIC = ["", " k", " M", " G", " T"];

/** A large count in short: 860 M. */
export function metric(value: number): string {
  const [rest, step] = inSteps(value, METRIC.length);
  return step === 0 ? count(value) : `${threeDigits(rest)}${METRIC[step]}`;
}

/** FLOPs with the prefix of their unit: 4.16 TFLOP; what is not known is a dash. */
export function flopCount(value: number | null, unit = "FLOP"): string {
  if (value === null) return "–";
  const [rest, step] = inSteps(value, METRIC.length);
  return `${threeDigits(rest)}${METRIC[step] || " "}${unit}`;
}

/** FLOPs a second: 624 TFLOP/s. */
export function flopRate(value: number | null): string {
  return flopCount(value, "FLOP/s");
}

/** `value` divided by thousands until it reads shortest, and how often. */
function inSteps(value: number, steps: number): [number, number] {
  let [rest, step] = [value, 0];
  while (rest >= 999.5 && step < steps - 1) {
    rest /= 1000;
    step += 1;
  }
  return [rest, step];
}

/** A factor: 2.31×. */
export function factor(value: number): string {
  return `${threeDigits(value)}×`;
}

/** A size in bytes with a decimal unit: 62.4 MB. */
export function bytes(value: number): string {
  const [rest, step] = inSteps(value, BYTE_UNITS.length);
  return `${step === 0 ? count(value) : threeDigits(rest)} ${BYTE_UNITS[step]}`;
}

/** A long name with its middle left out, so that both its ends can be told apart. */
export function shortenMiddle(text: string, limit: number): string {
  if (text.length <= 2 * limit && Array.from(text).length <= limit) return text;
  const head = Math.ceil((limit - 1) * 0.6);
  const tail = limit - 1 - head;
  // A letter has two units at most, so longer ends need not be taken apart.
  const start = Array.from(text.slice(0, 2 * head)).slice(0, head);
  const end = tail > 0 ? Array.from(text.slice(-2 * tail)).slice(-tail) : [];
  return `${start.join("")}…${end.join("")}`;
}
