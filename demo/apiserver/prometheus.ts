import type { Json } from './json.ts';
import type { Responder } from './responder.ts';

/** A Prometheus that knows two metrics, for requests through the API server's service proxy. */
export function answerPrometheus(path: string, query: URLSearchParams, out: Responder): void {
  const expression = query.get('query') ?? '';
  const range = path.endsWith('/api/v1/query_range');
  if (!range && !path.endsWith('/api/v1/query')) {
    out.text('404 page not found\n', 'text/plain; charset=utf-8', 404);
    return;
  }
  if (!/^[\w:{}()[\]="., +*/-]+$/.test(expression) || /[({[]$/.test(expression)) {
    const error = 'invalid parameter "query": 1:1: parse error: unexpected end of input';
    out.json({ status: 'error', errorType: 'bad_data', error }, 400);
    return;
  }
  const data = range ? matrix(query) : vector(query);
  out.json({ status: 'success', data: expression.includes('nothing') ? { ...data, result: [] } : data });
}

function vector(query: URLSearchParams): { resultType: string; result: Json[] } {
  const time = Number(query.get('time') ?? Date.now() / 1000);
  const result = ['api', 'db'].map((job, index) => ({ metric: { __name__: 'up', job }, value: [time, String(index)] }));
  return { resultType: 'vector', result };
}

function matrix(query: URLSearchParams): { resultType: string; result: Json[] } {
  const [start, end, step] = ['start', 'end', 'step'].map((name) => Number(query.get(name)));
  const values: Json[] = [];
  for (let time = start ?? 0; time <= (end ?? 0); time += step ?? 1) values.push([time, String(values.length)]);
  return { resultType: 'matrix', result: [{ metric: { __name__: 'up', job: 'api' }, values }] };
}
