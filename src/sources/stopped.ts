/**
 * Why what is under way ends: it is not wanted any more. A signal keeps its reason, and libraries keep what they were
 * aborted with; of an error whose stack nobody has read V8 keeps the callers themselves, and through them a whole feed.
 * So this one has no stack. (`abort()` without a reason makes an error that has one.)
 */
export class Stopped extends Error {
  override readonly name = 'Stopped';

  constructor() {
    super('It was stopped.');
    this.stack = `${this.name}: ${this.message}`;
  }
}
