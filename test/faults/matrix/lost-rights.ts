import { revoke } from '../../../demo/apiserver/objects.ts';
import { eventually, pause } from '../../support/eventually.ts';
import { connect, createLargePods, changePods, fillBuffers, isAudited } from '../crowd.ts';
import { LARGE_PODS, LIVE_PODS } from '../raw-socket.ts';
import { expectThat, secondsSince, type Row } from './row.ts';

/** K7: viewers who may not see any more what they see. */

export const LOST_RIGHTS: readonly Row[] = [
  {
    id: 'K7',
    variant: 'logout',
    fault: 'signing out',
    expected: 'everything of that session ends with GITLAB_UNAUTHORIZED; the others go on',
    boundSeconds: 2,
    isQuick: true,
    async run(stage) {
      const sockets = [await connect(stage, 'eve'), await connect(stage, 'eve')];
      for (const raw of sockets) raw.subscribe('1', LIVE_PODS);
      await eventually('both live', () => sockets.every((raw) => raw.updates('1').length > 0), 5_000);
      stage.kas.user('eve').revoked = true;
      const mark = performance.now();
      sockets[0]?.subscribe('2', 'mutation { deleteK8sPod(agentId: "1", namespace: "shop", name: "none") { id } }');
      const isOver = () => sockets.every((raw) => raw.errorText('1').includes('GITLAB_UNAUTHORIZED'));
      await eventually('both ended', isOver, 6_000);
      const seconds = secondsSince(mark);
      const messages = () => sockets.map((raw) => raw.messages.filter(({ id }) => id === '1').length).join();
      const before = messages();
      stage.changeEverySort();
      await stage.converged(5_000);
      expectThat('nothing more for them', messages() === before, [before, messages()]);
      return seconds;
    },
  },
  {
    id: 'K7',
    variant: 'backlog',
    fault: 'a right that is lost while much waits to be sent',
    expected: 'what waits is dropped, ACCESS_REVOKED is the last frame',
    boundSeconds: 15,
    // Sooner than somebody who takes nothing is sent away for that.
    stage: { env: { ACCESS_ALLOW_SECONDS: '10' } },
    async run(stage) {
      createLargePods(stage);
      const raw = await connect(stage, 'eve');
      raw.subscribe('1', LARGE_PODS);
      await eventually('its first message', () => raw.updates('1').length > 0, 10_000);
      raw.socket.pause();
      fillBuffers(stage);
      revoke(stage.store, 'eve');
      const mark = performance.now();
      while (!isAudited(stage, 'revoke', 'eve') && secondsSince(mark) < 40) {
        changePods(stage, 10, { at: stage.store.revision });
        await pause(500);
      }
      const seconds = secondsSince(mark);
      changePods(stage, 10, { secret: 'yes' });
      await pause(500);
      raw.socket.resume();
      const isOver = () => raw.errorText('1').includes('ACCESS_REVOKED') || raw.ending !== undefined;
      await eventually('the refusal', isOver, 10_000);
      await pause(500);
      expectThat('nothing of later', !raw.errorText('1').includes('"secret"'));
      const last = JSON.stringify(raw.messages.at(-1));
      expectThat('ACCESS_REVOKED is the last frame', last.includes('ACCESS_REVOKED'), [raw.ending, last.slice(0, 200)]);
      await stage.converged(5_000);
      return seconds;
    },
  },
];
