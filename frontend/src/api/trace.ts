// The answer of the route `trace-forms`: what of a trace can be handed to Perfetto.

/** The trace as it lies there, or with what was found drawn on it. */
export type FormName = "original" | "annotated";

export interface Form {
  file: string;
  size_bytes: number;
  /** When Perfetto has the first event of the trace, in nanoseconds; text, since it may be long. */
  starts_ns: string | null;
}

export interface Forms {
  schema_version: number;
  view: "trace-forms";
  original: Form;
  annotated: Form | null;
  /** Why there is no annotated form. */
  reason: string | null;
}
