/** The page: a frame that the build made, with one report in it. */
import { scriptJson } from './html.ts';
import type { ReportData, ReportSummary } from './report.ts';
import { noscriptHtml, summaryHtml, titleHtml } from './summary.ts';

/** Where the frame takes what belongs to one report; each is there once. */
const SLOTS = ['title', 'summary', 'noscript', 'data'] as const;

/** The page in pieces, since the whole of it may be large. */
export function* reportPage(frame: string, summary: ReportSummary, data: ReportData): Generator<string> {
  const fill: Readonly<Record<(typeof SLOTS)[number], () => Iterable<string>>> = {
    title: () => [titleHtml(summary)],
    summary: () => [summaryHtml(summary)],
    noscript: () => [noscriptHtml(summary)],
    data: () => dataJson(data),
  };
  let rest = frame;
  for (const slot of SLOTS) {
    const mark = `<!--report:${slot}-->`;
    const at = rest.indexOf(mark);
    yield rest.slice(0, at);
    yield* fill[slot]();
    rest = rest.slice(at + mark.length);
  }
  yield rest;
}

/** Piece by piece: a text of all values could be longer than one may be. */
function* dataJson({ table, ...data }: ReportData): Generator<string> {
  const { columns, ...numbers } = table;
  yield '<script type="application/json" id="data">';
  yield `${scriptJson(data).slice(0, -1)},"table":${scriptJson(numbers).slice(0, -1)},"columns":[`;
  for (const [index, { values = [], ...column }] of columns.entries()) {
    yield `${index === 0 ? '' : ','}${scriptJson(column).slice(0, -1)},"values":[`;
    for (let at = 0; at < values.length; at += PIECE) {
      yield (at === 0 ? '' : ',') + scriptJson(values.slice(at, at + PIECE)).slice(1, -1);
    }
    yield ']}';
  }
  yield ']}}</script>';
}

const PIECE = 1000;
