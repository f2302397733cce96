/** A GraphQL document, a plain string, that knows the types of its answer and of its variables. */
export type TypedDocument<Data, Variables> = string & { readonly __types?: (variables: Variables) => Data };

/** Puts the parts of a document together; the result is one text, equal for everybody, so that the server can share it. */
export function typedDocument<Data, Variables>(...parts: readonly string[]): TypedDocument<Data, Variables> {
  return parts.join('\n');
}
