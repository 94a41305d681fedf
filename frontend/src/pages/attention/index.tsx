// The page Attention: the sequence length of every attention call.

import type { Attention, Sequence } from "../../api/attention";
import { AfterPaint } from "../../components/AfterPaint";
import { Answered, useEachAnswered } from "../../components/Answered";
import { ErrorNotice, Warnings } from "../../components/notices";
import { useLoaded } from "../../state/loaded";
import type { PageProps } from "../registry";
import { Chart } from "./Chart";
import type { Sequenced } from "./sequences";
import { Tables } from "./Tables";
import { detail } from "./words";

export function AttentionPage(props: PageProps) {
  const { client, selection, state } = props;
  const answered = useEachAnswered<Sequenced>(props, async ({ id, label }, ask) => ({
    id,
    label,
    sequence: await client.view<Sequence>("sequence", [id], ask),
  }));
  const shown = answered.data?.find((run) => run.id === state.shown) ?? answered.data?.[0];

  const attentionKey = shown ? JSON.stringify([shown.id, selection]) : null;
  const attention = useLoaded(attentionKey, (ask) =>
    client.view<Attention>("attention", [shown?.id ?? ""], { ...ask, selection }),
  );
  const ofShown = attention.dataKey === attentionKey ? attention.data : null;

  return (
    <Answered of={answered} title="The attention calls could not be read" {...props}>
      {(sequenced) =>
        shown && (
          <>
            <Chart
              {...props}
              sequenced={sequenced}
              shown={shown}
              detail={ofShown ? detail(ofShown, sequenced.length > 1 ? shown.label : null) : ""}
            />
            <AfterPaint>
              {() => (
                <>
                  <Warnings
                    groups={sequenced.map((run) => ({
                      title: sequenced.length > 1 ? run.label : "",
                      warnings: run.sequence.warnings,
                    }))}
                  />
                  {attention.error && (
                    <ErrorNotice
                      title="The shapes could not be read"
                      message={attention.error.message}
                      onRetry={attention.again}
                    />
                  )}
                  {attention.data && (
                    <Tables
                      client={client}
                      selection={selection}
                      sequenced={sequenced}
                      shown={shown}
                      attention={attention.data}
                      state={state}
                      store={props.store}
                      mode={props.mode}
                    />
                  )}
                </>
              )}
            </AfterPaint>
          </>
        )
      }
    </Answered>
  );
}
