/** A value of which a test claims to know the type: what the compiler cannot see, or what must never happen and may. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- saying the type at the call is all that it is for
export function unchecked<Type>(value: unknown): Type {
  return value as Type;
}
