/** The door to tests of flows: text in, a checked FlowTest out, or every mistake at once with line and column. */
import { type Diagnostic, Report } from './documents/diagnostics.ts';
import { documentShape } from './documents/other-shapes.ts';
import { rawFromNode } from './documents/raw-value.ts';
import { readShape } from './documents/read-shape.ts';
import { readYaml } from './documents/yaml-source.ts';
import { flowErrors } from './flow-errors.ts';

export interface ExpectedRecord {
  readonly status: 'valid' | 'rejected' | 'filtered';
  readonly errors?: readonly string[];
  readonly warnings?: readonly string[];
  readonly routes?: readonly string[];
  readonly output?: Readonly<Record<string, string>>;
  readonly sent?: Readonly<Record<string, string>>;
}

export interface FlowTestCase {
  readonly id: string;
  /** One of both. */
  readonly input?: string;
  readonly file?: string;
  readonly expect: {
    readonly verdict?: 'accepted' | 'partial' | 'held' | 'rejected';
    readonly reasons?: readonly string[];
    readonly read?: number;
    readonly records?: readonly ExpectedRecord[];
  };
}

export interface FlowTest {
  readonly kind: 'FlowTest';
  readonly metadata: { readonly tenant: string; readonly name: string };
  readonly spec: { readonly flow: string; readonly cases: readonly FlowTestCase[] };
}

/** Why a file cannot be read, by its path beside the test; null: it can. */
export type ProblemOfFile = (path: string) => string | null;

/** `test` is null when the text has mistakes, or names files that can't be read. */
export function loadFlowTest(
  text: string,
  problemOf: ProblemOfFile = () => null,
): { readonly test: FlowTest | null; readonly diagnostics: readonly Diagnostic[] } {
  const source = readYaml(text);
  if (source.root === null) return { test: null, diagnostics: source.diagnostics };
  const report = new Report(source.places);
  const test = readShape(rawFromNode(source.root), documentShape('FlowTest'), [], (finding) => report.add(finding)) as FlowTest;
  if (!report.hasErrors) checkInputs(test, report);
  if (!report.hasErrors) checkFiles(test, report, problemOf);
  return { test: report.hasErrors ? null : test, diagnostics: report.diagnostics };
}

function checkInputs({ spec }: FlowTest, report: Report): void {
  const ids = spec.cases.map(({ id }) => id);
  for (const [index, { id, input, file }] of spec.cases.entries()) {
    if (ids.indexOf(id) < index)
      report.add({
        code: flowErrors.E_CONFIG_DUPLICATE,
        path: ['spec', 'cases', index, 'id'],
        message: `${id} is named twice`,
        atValue: true,
      });
    if ((input === undefined) === (file === undefined))
      report.add({ code: flowErrors.E_CONFIG_KEY, path: ['spec', 'cases', index], message: 'a case has either input or file' });
  }
}

function checkFiles({ spec }: FlowTest, report: Report, problemOf: ProblemOfFile): void {
  const files = spec.cases.flatMap(({ file }, index) => (file === undefined ? [] : [{ file, path: ['spec', 'cases', index, 'file'] }]));
  for (const { file, path } of [{ file: spec.flow, path: ['spec', 'flow'] }, ...files]) {
    const problem = problemOf(file);
    if (problem === null) continue;
    report.add({ code: flowErrors.E_CONFIG_REFERENCE, path, message: `${file} cannot be read: ${problem}`, atValue: true });
  }
}
