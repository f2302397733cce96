import { describe, expect, it } from 'vitest';
import { OnDemand } from './on-demand.ts';

const DONE = { done: true, value: undefined };

/** Says what it is given, and ends after "last". */
class Said extends OnDemand<string> {
  readonly log: string[] = [];
  #words: string[] = [];

  constructor() {
    super(() => this.log.push('released'));
  }

  say(word: string): void {
    this.#words.push(word);
    this.look();
  }

  protected override read(): string | undefined {
    const word = this.#words.shift();
    if (word === 'broken') this.fail(new Error('broken'));
    if (word === 'last') this.end();
    return word === 'broken' ? undefined : word;
  }

  protected override stop(): void {
    this.log.push('stopped');
  }
}

describe('OnDemand', () => {
  it('answers at once when there is something to say, and else as soon as there is', async () => {
    const said = new Said();
    said.say('a');
    expect(await said.next()).toEqual({ done: false, value: 'a' });
    const next = said.next();
    said.say('b');
    expect(await next).toEqual({ done: false, value: 'b' });
  });

  it('may end with a message: it is told, then it is over', async () => {
    const said = new Said();
    said.say('last');
    expect(await said.next()).toEqual({ done: false, value: 'last' });
    expect(await said.next()).toEqual(DONE);
    expect(said.log).toEqual(['stopped', 'released']);
  });

  it('may fail while it looks for a message: that is told once', async () => {
    const said = new Said();
    const next = said.next();
    said.say('broken');
    await expect(next).rejects.toThrow('broken');
    expect(await said.next()).toEqual(DONE);
    expect(said.log).toEqual(['stopped', 'released']);
  });

  it('settles a pending next() at once on return() and on fail(), and lets go once', async () => {
    const left = new Said();
    const next = left.next();
    expect(await left.return()).toEqual(DONE);
    expect(await next).toEqual(DONE);
    left.fail(new Error('too late'));
    left.say('too late');
    expect(await left.next()).toEqual(DONE);
    expect(left.log).toEqual(['stopped', 'released']);
    const failed = new Said();
    const failing = failed.next();
    failed.fail(new Error('revoked'));
    await expect(failing).rejects.toThrow('revoked');
  });

  it('delivers nothing more after fail(), which waits for a reader', async () => {
    const said = new Said();
    said.say('a');
    said.fail(new Error('revoked'));
    await expect(said.next()).rejects.toThrow('revoked');
    expect(await said.next()).toEqual(DONE);
  });

  it('refuses a second next() before the first is settled', async () => {
    const said = new Said();
    const next = said.next();
    await expect(said.next()).rejects.toThrow('before the last one settled');
    said.say('a');
    expect(await next).toEqual({ done: false, value: 'a' });
  });
});
