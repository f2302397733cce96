import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { createFetcher } from './graphiql-fetcher.ts';

export interface GraphiQLDefaults {
  /** JSON, as it is typed into the headers tab. */
  readonly headers?: string | undefined;
  readonly query?: string | undefined;
}

export interface GraphiQLPage {
  readonly html: Buffer;
  readonly gzipped: Buffer;
  readonly contentSecurityPolicy: string;
}

/**
 * GraphiQL as one page that fetches nothing from anywhere. Nine megabytes of it: made when first asked for, once.
 */
export function graphiqlPage(defaults: GraphiQLDefaults): () => Promise<GraphiQLPage> {
  let page: Promise<GraphiQLPage> | undefined;
  return () => (page ??= renderPage(defaults));
}

async function renderPage({ headers, query }: GraphiQLDefaults): Promise<GraphiQLPage> {
  const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql');
  const rendered = renderGraphiQL({
    title: 'Kascade',
    shouldPersistHeaders: false, // they hold tokens
    ...(headers !== undefined && { defaultHeaders: headers }),
    ...(query !== undefined && { defaultQuery: query }),
  });
  const html = withOurFetcher(rendered);
  const bytes = Buffer.from(html);
  return { html: bytes, gzipped: await promisify(gzip)(bytes), contentSecurityPolicy: policyFor(html) };
}

const ROOT = "window.document.querySelector('#root'),";

/** The page takes its options as JSON, which cannot hold a function: ours is put beside. No default may end the script. */
function withOurFetcher(html: string): string {
  const start = html.lastIndexOf(ROOT) + ROOT.length;
  const end = html.lastIndexOf(',\n', html.lastIndexOf(');'));
  const options = html.slice(start, end).trim();
  if (!options.startsWith('{') || !options.endsWith('}'))
    throw new Error('The page of GraphiQL has another form than expected.');
  const ours = `Object.assign(${options.replaceAll('<', String.raw`\u003c`)}, { fetcher: (${String(createFetcher)})(window.location.href) })`;
  return html.slice(0, start) + ours + html.slice(end);
}

/** Exactly this page's script runs; it starts its workers from blobs and writes its styles inline. */
function policyFor(html: string): string {
  const open = '<script>';
  const script = html.slice(html.indexOf(open, html.indexOf('id="root"')) + open.length, html.lastIndexOf('</script>'));
  const hash = createHash('sha256').update(script).digest('base64');
  return [
    "default-src 'none'",
    `script-src 'sha256-${hash}'`,
    'worker-src blob:',
    "style-src 'unsafe-inline'",
    'font-src data:',
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}
