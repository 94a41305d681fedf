// The main chart: bytes of the score matrices against the size of the image.

import { useMemo } from "preact/hooks";
import { exactSize, size, sizeMark } from "../../amounts";
import { download, downloadCsv, fileName } from "../../browser";
import { hiddenOf, LawLegend, toggled } from "../../components/LawLegend";
import { SaveButtons } from "../../components/panel";
import { keysOf } from "../../drawing/lawkeys";
import { PowerLaws } from "../../drawing/PowerLaws";
import { PICTURE_ROOM, pictureOf } from "../../drawing/picture";
import { drawLaws, type Placed } from "../../drawing/powerlaws";
import { count, percent, threeDigits } from "../../format";
import type { Store } from "../../state/location";
import type { State } from "../../state/url";
import type { Mode } from "../../theme/mode";
import { CURVES, colorOf, fitsOf, type Grown, type GrownSeries, seriesOf } from "./curves";
import { growthCsv } from "./export";

const HEIGHT = 380;

/** The powers of a figure: `3.58, then 3.97`. */
function powersText(grown: Grown, of: GrownSeries["of"]): string {
  const powers = fitsOf(grown, of).map(({ exponent }) => (exponent ?? 0).toFixed(2));
  return [...new Set(powers)].join(", then ");
}

/** Which sizes each power is of, and how far the worst point is off. */
function fitsHint(grown: Grown, of: GrownSeries["of"]): string {
  return fitsOf(grown, of)
    .map(
      (fit) =>
        `\n${fit.exponent} from ${sideText(fit.from_size)} to ${sideText(fit.to_size)} ` +
        `${grown.unit === "px" ? "px" : "positions a side"}, ${fit.points} points` +
        (fit.largest_deviation === null
          ? ""
          : `, off by ${percent(fit.largest_deviation)} % at most`),
    )
    .join("");
}

export function GrowthChart(props: {
  grown: Grown;
  caption: string;
  /** Whether the sentence stands elsewhere. */
  isSaid: boolean;
  /** What the files are called after. */
  name: string;
  state: State;
  store: Store;
  mode: Mode;
  labelOf: (id: string) => string;
}) {
  const { grown, caption, state, store, mode, labelOf } = props;
  const text = state.of.memory_hidden;
  const hidden = useMemo(() => hiddenOf(text), [text]);
  const all = useMemo(() => seriesOf(grown, mode), [grown, mode]);
  const series = useMemo(() => all.filter((each) => !hidden.has(each.of)), [all, hidden]);
  const isPixels = grown.unit === "px";
  const x = useMemo(
    () => ({ title: isPixels ? "image side, px" : "latent side", say: sideText }),
    [isPixels],
  );
  const y = useMemo(() => ({ title: "memory", say: sizeMark, isBinary: true }), []);
  const meetings = useMemo(() => [], []);
  const file = fileName("memory", props.name);

  async function savePicture(): Promise<void> {
    const input = { series, meetings, x, y, mode, width: PICTURE_ROOM, height: HEIGHT };
    const picture = await pictureOf({
      title: grown.sentence,
      caption,
      mode,
      names: [],
      hasUnlinked: false,
      parts: [
        keysOf(series, mode, PICTURE_ROOM),
        { text: "", height: HEIGHT, draw: (context) => drawLaws(context, input) },
      ],
    });
    download(`${file}.png`, picture);
  }

  return (
    <figure class="strips">
      <div class="figure-head">
        <p>{props.isSaid ? "" : grown.sentence}</p>
        <SaveButtons
          csvHint="A line for each size, and each fit, exact"
          onCsv={() => downloadCsv(`${file}.csv`, growthCsv(grown, labelOf))}
          onPng={savePicture}
        />
      </div>
      {series.length > 0 ? (
        <PowerLaws
          label={`Memory against ${x.title}: arrow keys go through the points`}
          {...{ series, meetings, x, y, mode, height: HEIGHT }}
          tip={(point) => <Tip point={point} grown={grown} labelOf={labelOf} />}
          say={({ series: { name }, point }) => `${name} at ${x.say(point.x)}: ${size(point.y)}`}
        />
      ) : (
        <p class="soft">Nothing is shown: choose a name below.</p>
      )}
      <LawLegend
        label="Curves"
        keys={CURVES.filter(({ of }) => all.some((each) => each.of === of)).map((curve) => ({
          id: curve.of,
          name: curve.title,
          detail: powersText(grown, curve.of),
          hint: `${curve.hint}${fitsHint(grown, curve.of)}`,
          color: colorOf(curve, mode),
          isDashed: curve.isDashed,
          isShown: !hidden.has(curve.of),
        }))}
        onToggle={(of) =>
          store.write({ of: { ...state.of, memory_hidden: toggled(hidden, of) } }, "replace")
        }
      />
      <figcaption>
        {caption} The figure behind a name is the power of the side that it grows with.
      </figcaption>
    </figure>
  );
}

function sideText(value: number): string {
  return Number.isInteger(value) ? count(value) : threeDigits(value);
}

function Tip(props: { point: Placed; grown: Grown; labelOf: (id: string) => string }) {
  const { grown, labelOf } = props;
  const { series, point, at } = props.point;
  const { of, sized } = series as GrownSeries;
  const place = sized[at];
  const powers = powersText(grown, of);
  return (
    <>
      <b>{series.name}</b>
      <span class="of">
        {place?.run ? labelOf(place.run) : "computed from the calls of the run"}
      </span>
      <dl>
        {place?.image_size_px != null && (
          <div>
            <dt>image</dt>
            <dd>{count(place.image_size_px)} px</dd>
          </div>
        )}
        <div>
          <dt>latent side</dt>
          <dd>{sideText(place?.latent_side ?? 0)}</dd>
        </div>
        <div>
          <dt>memory</dt>
          <dd>{size(point.y)}</dd>
          <dd class="exact">{exactSize(point.y)}</dd>
        </div>
        {powers !== "" && (
          <div>
            <dt>grows with the power</dt>
            <dd>{powers}</dd>
          </div>
        )}
      </dl>
    </>
  );
}
