/** Request headers, or how to get them: a token that changes is then always the current one. */
export type Headers =
  | Readonly<Record<string, string>>
  | (() => Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>);

export async function resolved(headers: Headers = {}): Promise<Readonly<Record<string, string>>> {
  return typeof headers === 'function' ? headers() : headers;
}
