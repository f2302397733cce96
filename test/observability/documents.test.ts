import { readFileSync } from 'node:fs';
import { parser } from '@prometheus-io/lezer-promql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { WholeServer } from '../support/whole-server.ts';
import { families, readExposition, type Exposed } from './exposition.ts';

/** Labels that Prometheus adds when it scrapes. */
const SCRAPED = new Set(['instance', 'job', 'le']);

let whole: WholeServer;
let exposed: Map<string, Exposed>;
beforeAll(async () => {
  // Nothing listens there; what is said of Redis is said all the same.
  whole = await WholeServer.start({ REDIS_URL: 'redis://127.0.0.1:1' });
  exposed = readExposition(await (await fetch(`${whole.server.url}/metrics`)).text());
});
afterAll(() => whole.stop());

interface Selector {
  readonly metric: string;
  readonly matchers: readonly { readonly label: string; readonly isEqual: boolean; readonly value: string }[];
}

/** The series that a PromQL expression asks for. Throws for what is no PromQL. */
function selectorsOf(expression: string): Selector[] {
  const selectors: { metric: string; matchers: Selector['matchers'][number][] }[] = [];
  let label = '';
  let isEqual = false;
  const textOf = (node: { from: number; to: number }) => expression.slice(node.from, node.to);
  parser.parse(expression).iterate({
    enter: (node) => {
      if (node.type.isError) throw new Error(`not PromQL at ${node.from}: ${expression}`);
      if (node.name === 'VectorSelector') selectors.push({ metric: '', matchers: [] });
      const selector = selectors.at(-1);
      if (selector === undefined) return;
      if (node.name === 'Identifier') selector.metric ||= textOf(node);
      if (node.name === 'LabelName' && node.node.parent?.name === 'UnquotedLabelMatcher') label = textOf(node);
      if (node.name === 'MatchOp') isEqual = textOf(node) === '=';
      if (node.name === 'StringLiteral') selector.matchers.push({ label, isEqual, value: textOf(node).slice(1, -1) });
    },
  });
  return selectors;
}

/** What is wrong with the series that an expression asks for, as far as this server tells. */
function problemsOf(expression: string): string[] {
  const selectors = selectorsOf(expression);
  if (selectors.length === 0) return [`asks for nothing: ${expression}`];
  return selectors.flatMap(({ metric, matchers }) => {
    const known = exposed.get(metric);
    if (known === undefined) return [`no such metric: ${metric}`];
    return matchers.flatMap(({ label, isEqual, value }) => {
      if (SCRAPED.has(label)) return [];
      if (!known.labels.has(label)) return [`no such label: ${metric}{${label}}`];
      return !isEqual || known.values.get(label)?.has(value) === true ? [] : [`no such value: ${label}="${value}"`];
    });
  });
}

const byText = (a: string, b: string) => a.localeCompare(b);
const byName = ([a]: readonly unknown[], [b]: readonly unknown[]) => byText(String(a), String(b));

describe('the reader of expressions', () => {
  it('finds what is wrong', () => {
    expect(problemsOf('sum(rate(kascade_lists_total{reason="first sync"}[5m]))')).toEqual([]);
    expect(problemsOf('rate(kascade_nothing_total[5m])')).toEqual(['no such metric: kascade_nothing_total']);
    expect(problemsOf('kascade_lists_total{agent="1"}')).toEqual(['no such label: kascade_lists_total{agent}']);
    expect(problemsOf('kascade_lists_total{reason="boredom"}')).toEqual(['no such value: reason="boredom"']);
    expect(() => problemsOf('sum(rate(kascade_lists_total[5m])')).toThrow('not PromQL');
  });
});

describe('deploy/prometheus/alerts.yaml', () => {
  interface Rule {
    readonly alert: string;
    readonly expr: string;
    readonly for?: string;
    readonly labels: { readonly severity: string };
    readonly annotations: { readonly summary: string };
  }
  const { groups } = parse(readFileSync('deploy/prometheus/alerts.yaml', 'utf8')) as {
    groups: { name: string; rules: Rule[] }[];
  };
  const rules = groups.flatMap((group) => group.rules);

  it('has rules of one form, each name once', () => {
    expect(rules.length).toBeGreaterThan(10);
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
    for (const rule of rules) {
      expect(rule.alert).toMatch(/^Kascade[A-Z]\w+$/);
      expect(['info', 'warning', 'critical']).toContain(rule.labels.severity);
      expect(rule.annotations.summary).not.toBe('');
      expect(rule.for ?? '1m').toMatch(/^\d+[mh]$/);
    }
  });

  it.each(rules.map(({ alert, expr }) => [alert, expr]))('%s asks for what there is', (_alert, expr) => {
    expect(problemsOf(expr)).toEqual([]);
  });

  it('uses labels in its texts that its expression keeps', () => {
    for (const { expr, annotations } of rules) {
      const used = [...JSON.stringify(annotations).matchAll(/\$labels\.(\w+)/g)].map(([, label]) => label ?? '');
      const kept = /\bby \(([^)]*)\)/.exec(expr)?.[1]?.split(/, */) ?? [];
      for (const label of used) expect(kept).toContain(label);
    }
  });
});

describe('deploy/grafana/kascade.json', () => {
  interface Panel {
    readonly id: number;
    readonly title: string;
    readonly type: string;
    readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
    readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
  }
  const { panels } = JSON.parse(readFileSync('deploy/grafana/kascade.json', 'utf8')) as { panels: Panel[] };
  const shown = panels.filter(({ type }) => type !== 'row');

  it.each(shown.map((panel) => [panel.title, panel]))('%s asks for what there is', (_title, { targets = [] }) => {
    expect(targets).not.toEqual([]);
    for (const { expr } of targets) {
      expect(problemsOf(expr.replaceAll('$__rate_interval', '5m'))).toEqual([]);
      expect(expr).toContain('instance=~"$instance"');
    }
  });

  it('shows all that is ours, and no panel over another', () => {
    const text = JSON.stringify(shown);
    const missing = [...families(exposed).keys()].filter((name) => !text.includes(name));
    expect(missing).toEqual([]);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, index) => `${x + (index % w)},${y + Math.floor(index / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    for (const { gridPos } of panels) expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
  });
});

describe('docs/operations.md', () => {
  it('explains every metric of ours, with its type and labels, and no other', () => {
    const text = readFileSync('docs/operations.md', 'utf8');
    const rows = [...text.matchAll(/^\| `(kascade_\w+)` \| (\w+) \| (.*?) \| (.+?) \| (.+?) \|$/gm)];
    const written = rows.map(([, name, type, labels = '']) => [
      name,
      type,
      [...labels.matchAll(/`(\w+)`/g)].map(([, label = '']) => label).toSorted(byText),
    ]);
    const actual = [...families(exposed)].map(([name, { type, labels }]) => [name, type, [...labels].toSorted(byText)]);
    expect(written.toSorted(byName)).toEqual(actual.toSorted(byName));
    expect(new Set(rows.map(([, name]) => name)).size).toBe(rows.length);
  });

  it('and of the metrics of the process names only those that there are', () => {
    const text = readFileSync('docs/operations.md', 'utf8');
    const named = [...text.matchAll(/`((?:nodejs|process)_\w+)`/g)].map(([, name]) => name ?? '');
    expect(named.length).toBeGreaterThan(3);
    for (const name of named) expect(exposed.has(name)).toBe(true);
  });
});
