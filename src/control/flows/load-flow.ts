/**
 * The door to flow documents: text in, a checked definition, its Plan and its hash out, or every mistake at once with line
 * and column. Pure: what a document refers to in other documents is `check-documents.ts`, versions are the store's.
 */

import { expressionProblems } from '../../pipeline/engine/expressions/expression-errors.ts';
import type { Plan } from '../../pipeline/engine/plan.ts';
import { nearestName } from '../../platform/base/nearest-name.ts';
import { checkRanges } from './applying/check-egress.ts';
import { checkConnection } from './check-connection.ts';
import { compileDefinition } from './compiling/compile-definition.ts';
import type { Connection, FlowDefinition, HeadgateDocument, TenantPolicy } from './definition.ts';
import { canonicalDocument, documentHash } from './documents/canonical.ts';
import { type Diagnostic, type PlaceFinder, Report } from './documents/diagnostics.ts';
import { findInlineSecrets } from './documents/inline-secrets.ts';
import { apiVersion, type DocumentKind, documentKinds, documentShape, laterKinds } from './documents/other-shapes.ts';
import { type RawValue, rawFromNode } from './documents/raw-value.ts';
import { readShape } from './documents/read-shape.ts';
import { readYaml } from './documents/yaml-source.ts';
import { flowErrors } from './flow-errors.ts';

export interface LoadedDocument {
  /** Null when the text has errors. */
  readonly document: HeadgateDocument | null;
  /** Of a text with errors, what could be read of it, where that is enough to be held against other documents. Parts may be undefined. */
  readonly partial: HeadgateDocument | null;
  /** Of a FlowDefinition. */
  readonly plan: Plan | null;
  /** `sha256:` and 64 hex digits. */
  readonly hash: string | null;
  /** What the hash covers. */
  readonly canonical: Readonly<Record<string, unknown>> | null;
  /** Keys that are there twice, then errors and warnings in order of the text. */
  readonly diagnostics: readonly Diagnostic[];
  /** For findings of later checks. */
  readonly places: PlaceFinder;
}

export interface LoadedFlow {
  readonly definition: FlowDefinition | null;
  readonly plan: Plan | null;
  readonly hash: string | null;
  readonly canonical: Readonly<Record<string, unknown>> | null;
  readonly diagnostics: readonly Diagnostic[];
}

/** A flow definition; any other kind is a mistake. */
export function loadFlow(text: string): LoadedFlow {
  const { document, plan, hash, canonical, diagnostics } = loadText(text, ['FlowDefinition']);
  return { definition: document as FlowDefinition | null, plan, hash, canonical, diagnostics };
}

/** A document of any kind. */
export function loadDocument(text: string): LoadedDocument {
  return loadText(text, Object.keys(documentKinds) as DocumentKind[]);
}

/** What other documents may refer to: a connection or environment that has mistakes is there all the same; a policy with mistakes says nothing. */
export function referredTo({ document, partial }: LoadedDocument): HeadgateDocument | null {
  return document ?? (partial?.kind === 'TenantPolicy' ? null : partial);
}

function loadText(text: string, kinds: readonly DocumentKind[]): LoadedDocument {
  const source = readYaml(text);
  const nothing = { document: null, partial: null, plan: null, hash: null, canonical: null, places: source.places };
  if (source.readable === null) return { ...nothing, diagnostics: source.diagnostics };
  const report = new Report(source.places);
  const found = (): readonly Diagnostic[] => [...source.diagnostics, ...report.diagnostics];
  const hasErrors = (): boolean => source.root === null || report.hasErrors;
  const root = rawFromNode(source.readable);
  findInlineSecrets(root, report);
  const kind = readKind(root, kinds, report);
  if (kind === null) return { ...nothing, diagnostics: found() };
  const shape = documentShape(kind);
  const broken = new Set<string>();
  const document = readShape(root, shape, [], (finding) => {
    report.add(finding);
    if (!finding.isHarmless) broken.add(String(finding.path[0] === 'spec' ? (finding.path[1] ?? 'spec') : finding.path[0]));
  }) as HeadgateDocument;
  if (document.kind === 'FlowDefinition' && hasErrors()) {
    // What could be read is checked further, so that the author sees all mistakes at once.
    compileDefinition({ definition: document, hash: '', broken }, report);
  }
  if (hasErrors()) {
    const isReadable = document.metadata !== undefined && document.spec !== undefined && !broken.has('spec') && !broken.has('metadata');
    if (!isReadable) return { ...nothing, diagnostics: found() };
    checkKeys(document, report);
    return { ...nothing, partial: document, diagnostics: found() };
  }
  const canonical = canonicalDocument(root, shape);
  const hash = documentHash(canonical);
  const plan = document.kind === 'FlowDefinition' ? compileDefinition({ definition: document, hash, broken }, report) : null;
  checkKeys(document, report);
  if (hasErrors()) return { ...nothing, partial: document, diagnostics: found() };
  return { document, partial: null, plan, hash, canonical, diagnostics: found(), places: source.places };
}

function checkKeys(document: HeadgateDocument, report: Report): void {
  if (document.kind === 'Connection') checkConnection(document as Connection, report);
  if (document.kind === 'TenantPolicy') checkRanges(document as TenantPolicy, report);
}

function readKind(root: RawValue, kinds: readonly DocumentKind[], report: Report): DocumentKind | null {
  const raw = root.kind === 'map' ? root.entries.get('kind') : undefined;
  const kind = raw?.kind === 'scalar' && typeof raw.value === 'string' ? raw.value : null;
  const known = kinds.find((candidate) => candidate === kind);
  if (known !== undefined) return known;
  if (root.kind !== 'map') report.add({ code: flowErrors.E_CONFIG_VALUE, path: [], message: 'the document must be a map of keys' });
  else if (raw === undefined)
    report.add({
      code: flowErrors.E_CONFIG_KEY,
      path: [],
      message: `kind is missing; with apiVersion: ${apiVersion} it is one of ${kinds.join(', ')}`,
    });
  else if (kind !== null && laterKinds.includes(kind))
    report.add({
      code: expressionProblems.E_NOT_SUPPORTED_YET,
      path: ['kind'],
      message: `kind ${kind} is not supported yet`,
      atValue: true,
    });
  else if (kind === 'FlowTest')
    report.add({
      code: flowErrors.E_CONFIG_VALUE,
      path: ['kind'],
      message: 'a FlowTest is no part of what is applied: `headgate flow test` runs it',
      atValue: true,
    });
  else {
    const nearest = kind === null ? null : nearestName(kind, kinds);
    const message = `kind must be ${kinds.length === 1 ? kinds[0] : `one of ${kinds.join(', ')}`}${nearest === null ? '' : `; did you mean ${nearest}?`}`;
    report.add({ code: flowErrors.E_CONFIG_VALUE, path: ['kind'], message, atValue: true });
  }
  return null;
}
