/**
 * Prometheus metrics of one process. Names, labels and meanings come from metrics-catalogue.ts; the number of series per
 * metric is bounded, because labels such as a statement or a tenant grow with use: beyond the bound they count as "other".
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import {
  type CounterName,
  type GaugeName,
  type HistogramName,
  type LabelsOf,
  type MetricDescription,
  metricsCatalogue,
} from './metrics-catalogue.ts';

export interface Metrics {
  add<Name extends CounterName>(name: Name, labels: LabelsOf<Name>, value?: number): void;
  set<Name extends GaugeName>(name: Name, labels: LabelsOf<Name>, value: number): void;
  observe<Name extends HistogramName>(name: Name, labels: LabelsOf<Name>, seconds: number): void;
  /** Called before each rendering, for gauges that are read from the database. A rejection leaves the old values. */
  onRender(refresh: () => Promise<void>): void;
  /** Text exposition format. */
  render(): Promise<{ readonly contentType: string; readonly body: string }>;
}

const seriesMax = 2_000;

export function createMetrics(options: { readonly withProcessMetrics?: boolean } = {}): Metrics {
  const registry = new Registry();
  const series = new Map<string, Set<string>>();
  const refreshers: (() => Promise<void>)[] = [];
  const counters = new Map<string, Counter>();
  const gauges = new Map<string, Gauge>();
  const histograms = new Map<string, Histogram>();
  for (const [name, description] of Object.entries(metricsCatalogue) as [string, MetricDescription][]) {
    const settings = { name, help: description.help, labelNames: [...description.labels], registers: [registry] };
    if (description.kind === 'counter') counters.set(name, new Counter(settings));
    else if (description.kind === 'gauge') gauges.set(name, new Gauge(settings));
    else histograms.set(name, new Histogram({ ...settings, buckets: [...(description.buckets ?? [])] }));
    series.set(name, new Set());
  }
  if (options.withProcessMetrics) collectDefaultMetrics({ register: registry });

  function bounded(name: string, labels: Readonly<Record<string, string>>): Record<string, string> {
    const known = series.get(name)!;
    const key = Object.values(labels).join('\u0000');
    if (known.has(key)) return labels;
    if (known.size >= seriesMax) return Object.fromEntries(Object.keys(labels).map((label) => [label, 'other']));
    known.add(key);
    return labels;
  }

  return {
    add: (name, labels, value = 1) => counters.get(name)!.inc(bounded(name, labels), value),
    set: (name, labels, value) => gauges.get(name)!.set(bounded(name, labels), value),
    observe: (name, labels, seconds) => histograms.get(name)!.observe(bounded(name, labels), seconds),
    onRender: (refresh) => void refreshers.push(refresh),
    async render() {
      await Promise.allSettled(refreshers.map((refresh) => refresh()));
      return { contentType: registry.contentType, body: await registry.metrics() };
    },
  };
}
