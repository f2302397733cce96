import { describe, expect, it } from 'vitest';
import { ApiError } from '../errors.ts';
import { PODS, SERVICES } from '../kubernetes/resources.ts';
import { LiveViews } from './live-views.ts';
import { Viewer } from './viewer.ts';

const KEY = { agentId: '7', namespace: 'shop', resource: PODS };
const SCOPE = { agentId: '7', namespace: 'shop' };
const REVOKED = new ApiError('ACCESS_REVOKED', 'No longer.');

describe('LiveViews', () => {
  it('ends what a viewer sees of one feed, in every tab, and nothing else', () => {
    const views = new LiveViews();
    const ended: string[] = [];
    const add = (viewer: Viewer, scope: Parameters<LiveViews['add']>[1], name: string) =>
      views.add(viewer, scope, { fail: () => ended.push(name) });
    add(viewer('alice'), KEY, 'alice');
    add(viewer('alice'), KEY, 'alice again');
    add(viewer('alice'), { ...KEY, resource: SERVICES }, 'services');
    add(viewer('alice'), { ...KEY, namespace: 'other' }, 'other namespace');
    add(viewer('alice'), { ...KEY, agentId: '8' }, 'other agent');
    add(viewer('alice'), SCOPE, 'connection');
    add(viewer('bob'), KEY, 'bob');
    views.endFeed(viewer('alice'), KEY, REVOKED);
    expect(ended).toEqual(['alice', 'alice again']);
  });

  it('ends all that comes from one agent', () => {
    const views = new LiveViews();
    const ended: string[] = [];
    const stream = (name: string) => ({ fail: () => ended.push(name) });
    views.add(viewer('alice'), { ...KEY, agentId: '8' }, stream('8'));
    views.add(viewer('alice'), KEY, stream('7'));
    views.add(viewer('alice'), SCOPE, stream('connection'));
    views.add(viewer('bob'), KEY, stream('bob'));
    expect(views.endAgent(viewer('alice'), '8', REVOKED)).toHaveLength(1);
    expect(ended).toEqual(['8']);
    views.endAgent(viewer('alice'), '7', REVOKED);
    expect(ended).toEqual(['8', '7', 'connection']);
  });

  it('knows nobody whose streams have all gone, and can end streams that take themselves out', () => {
    const views = new LiveViews();
    const removals: (() => void)[] = [];
    for (let index = 0; index < 3; index += 1) {
      const remove = views.add(viewer('alice'), KEY, { fail: () => remove() });
      removals.push(remove);
    }
    views.endAgent(viewer('alice'), '7', REVOKED);
    expect(views.size).toBe(0);
  });

  it('loses nobody when one is taken out twice', () => {
    const views = new LiveViews();
    const remove = views.add(viewer('alice'), KEY, { fail: () => {} });
    remove();
    let ended = 0;
    views.add(viewer('alice'), KEY, { fail: () => (ended += 1) });
    remove();
    views.endAgent(viewer('alice'), '7', REVOKED);
    expect(ended).toBe(1);
  });
});

function viewer(token: string): Viewer {
  return new Viewer({ kind: 'bearer', agentId: undefined, tokenType: 'pat', token });
}
