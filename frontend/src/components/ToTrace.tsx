// The way from a place in a table to the page Trace.

/** A small button that shows `what` in Perfetto. */
export function ToTrace(props: { what: string; onShow: () => void }) {
  return (
    <button
      type="button"
      class="to-trace"
      tabIndex={-1}
      title={`Show ${props.what} in Perfetto`}
      aria-label={`Show ${props.what} in Perfetto`}
      onClick={(event) => {
        event.stopPropagation();
        props.onShow();
      }}
    >
      ↗
    </button>
  );
}
