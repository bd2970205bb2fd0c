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

/** Whose flow a file holds, by its path beside the test; null: it holds none that is sound. */
export type TenantOfFlow = (path: string) => string | null;

/** `test` is null when the text has mistakes, names files that can't be read, or is of another tenant than its flow. */
export function loadFlowTest(
  text: string,
  problemOf: ProblemOfFile = () => null,
  tenantOf: TenantOfFlow = () => null,
): { readonly test: FlowTest | null; readonly diagnostics: readonly Diagnostic[] } {
  const source = readYaml(text);
  if (source.root === null) return { test: null, diagnostics: source.diagnostics };
  const report = new Report(source.places);
  const raw = rawFromNode(source.root);
  const kind = raw.kind === 'map' ? raw.entries.get('kind') : undefined;
  // Of another document, such as the flow itself, every key would be a mistake.
  if (kind?.kind === 'scalar' && kind.value !== 'FlowTest') {
    const message = 'kind must be FlowTest: tests of a flow are in a file beside it, NAME.flow.test.yaml';
    report.add({ code: flowErrors.E_CONFIG_VALUE, path: ['kind'], message, atValue: true });
    return { test: null, diagnostics: report.diagnostics };
  }
  const test = readShape(raw, documentShape('FlowTest'), [], (finding) => report.add(finding)) as FlowTest;
  if (!report.hasErrors) checkInputs(test, report);
  if (!report.hasErrors) checkFiles(test, report, problemOf);
  if (!report.hasErrors) checkTenant(test, report, tenantOf);
  return { test: report.hasErrors ? null : test, diagnostics: report.diagnostics };
}

function checkInputs({ spec }: FlowTest, report: Report): void {
  const ids = spec.cases.map(({ id }) => id);
  for (const [index, { id, input, file, expect }] of spec.cases.entries()) {
    if (ids.indexOf(id) < index)
      report.add({
        code: flowErrors.E_CONFIG_DUPLICATE,
        path: ['spec', 'cases', index, 'id'],
        message: `${id} is named twice`,
        atValue: true,
      });
    if ((input === undefined) === (file === undefined))
      report.add({ code: flowErrors.E_CONFIG_KEY, path: ['spec', 'cases', index], message: 'a case has either input or file' });
    if (Object.values(expect).every((each) => each === undefined))
      report.add({
        code: flowErrors.E_CONFIG_KEY,
        path: ['spec', 'cases', index, 'expect'],
        message: 'a case expects something: a verdict, reasons, read or records; one that expects nothing would always hold',
      });
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

function checkTenant({ metadata, spec }: FlowTest, report: Report, tenantOf: TenantOfFlow): void {
  const tenant = tenantOf(spec.flow);
  if (tenant === null || tenant === metadata.tenant) return;
  report.add({
    code: flowErrors.E_CONFIG_REFERENCE,
    path: ['metadata', 'tenant'],
    message: `${spec.flow} is a flow of tenant ${tenant}, and the test is of ${metadata.tenant}`,
    atValue: true,
  });
}
