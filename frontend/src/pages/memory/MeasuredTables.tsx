// Tables of what the allocator told: at the peak, step by step, and the largest blocks.

import { exactSize, size } from "../../amounts";
import type { CategoryBytes, DeviceMemory, StepMemory } from "../../api/memory";
import { downloadCsv } from "../../browser";
import { ShareBar } from "../../components/ShareBar";
import { count, duration, exactDuration, exactPercent, percent, shortenMiddle } from "../../format";
import type { Mode } from "../../theme/mode";
import { fillOf } from "./area";
import { blocksCsv, stepsCsv } from "./export";

/** Steps and blocks in a table; the others are in the CSV. */
const MANY = 40;

function Named({ name, mode }: { name: string; mode: Mode }) {
  return (
    <>
      <i class="swatch" style={{ background: fillOf(name, mode) }} />
      {name}
    </>
  );
}

export function AtPeak({ device, mode }: { device: DeviceMemory; mode: Mode }) {
  const components = Object.entries(device.components_at_peak);
  return (
    <div class="compare">
      <table>
        <caption>At the peak</caption>
        <thead>
          <tr>
            <th scope="col" />
            <th scope="col">memory</th>
            <th scope="col">blocks</th>
            <th scope="col">share %</th>
          </tr>
        </thead>
        <tbody>
          {device.at_peak.map((row) => (
            <tr key={row.category}>
              <th scope="row">
                <Named name={row.category} mode={mode} />
              </th>
              <td title={exactSize(row.bytes)}>{size(row.bytes)}</td>
              <td>{row.blocks === null ? "–" : count(row.blocks)}</td>
              <td title={exactPercent(row.share)}>
                <ShareBar share={row.share}>{percent(row.share)}</ShareBar>
              </td>
            </tr>
          ))}
          {components.map(([name, bytes]) => (
            <tr key={`of ${name}`}>
              <th scope="row">
                <span class="soft">of</span> {name}
              </th>
              <td title={exactSize(bytes)}>{size(bytes)}</td>
              <td />
              <td />
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** A thin bar of the categories that are alive. */
function Alive({ categories, mode }: { categories: readonly CategoryBytes[]; mode: Mode }) {
  const words = categories.map((each) => `${each.category} ${size(each.bytes)}`).join("\n");
  return (
    <span class="mix" title={words}>
      {categories.map((each) => (
        <i
          key={each.category}
          style={{ flexGrow: Math.max(0, each.bytes), background: fillOf(each.category, mode) }}
        />
      ))}
    </span>
  );
}

export function Steps({ device, mode }: { device: DeviceMemory; mode: Mode }) {
  const { steps, steps_left } = device;
  if (steps.length === 0) return null;
  const beyond = Math.max(0, steps.length - MANY) + steps_left;
  return (
    <div class="compare">
      <table>
        <caption>
          By step{" "}
          <button
            type="button"
            title="A line for each step, exact"
            onClick={() => downloadCsv("steps.csv", stepsCsv(steps))}
          >
            CSV
          </button>
        </caption>
        <thead>
          <tr>
            <th scope="col" />
            <th scope="col">peak</th>
            <th scope="col">at its end</th>
            <th scope="col">allocated</th>
            <th scope="col">at its peak</th>
          </tr>
        </thead>
        <tbody>
          {steps.slice(0, MANY).map((step: StepMemory) => (
            <tr key={step.index}>
              <th scope="row">{shortenMiddle(step.name, 36)}</th>
              <td title={exactSize(step.peak_bytes)}>{size(step.peak_bytes)}</td>
              <td title={exactSize(step.end_bytes)}>{size(step.end_bytes)}</td>
              <td title={exactSize(step.allocated_bytes)}>{size(step.allocated_bytes)}</td>
              <td class="alive">
                <Alive categories={step.categories} mode={mode} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {beyond > 0 && <p class="soft">{count(beyond)} more are not listed.</p>}
    </div>
  );
}

export function Blocks({ device, mode }: { device: DeviceMemory; mode: Mode }) {
  const { largest_blocks } = device;
  if (largest_blocks.length === 0) return null;
  return (
    <div class="compare">
      <table>
        <caption>
          Largest blocks at the peak{" "}
          <button
            type="button"
            title="A line for each block, exact"
            onClick={() => downloadCsv("blocks.csv", blocksCsv(largest_blocks))}
          >
            CSV
          </button>
        </caption>
        <thead>
          <tr>
            <th scope="col" />
            <th scope="col">memory</th>
            <th scope="col">category</th>
            <th scope="col">module</th>
            <th scope="col">alive for</th>
          </tr>
        </thead>
        <tbody>
          {largest_blocks.map((block, at) => (
            <tr key={`${at} ${block.allocated_ns}`}>
              <th scope="row" title={block.op ?? ""}>
                {shortenMiddle(block.op ?? "–", 40)}
              </th>
              <td title={exactSize(block.bytes)}>{size(block.bytes)}</td>
              <td>
                <Named name={block.category} mode={mode} />
              </td>
              <td title={block.module ?? ""}>
                {shortenMiddle(block.module ?? block.component ?? "–", 44)}
              </td>
              <td
                title={
                  block.freed_ns === null
                    ? "outlives the recording"
                    : exactDuration(block.freed_ns - block.allocated_ns)
                }
              >
                {block.freed_ns === null
                  ? "the rest"
                  : duration(block.freed_ns - block.allocated_ns)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
