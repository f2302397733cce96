import { Socket } from 'node:net';

/**
 * Loaded into a replica before anything else (`node --import`): what no signal can do to a process.
 * KASCADE_TEST_ROUTE="40000 40001": connections to the first port go to the second, so that replicas that are told the
 * same address have lines of their own. KASCADE_TEST_CLOCK_SHIFT_MS: how wrong the wall clock is. SIGUSR2 blocks the
 * event loop for two seconds.
 */
const BLOCK_MS = 2_000;
const shiftMs = Number(process.env['KASCADE_TEST_CLOCK_SHIFT_MS'] ?? '0');

const realNow = Date.now.bind(Date);
if (shiftMs !== 0) {
  Date.now = () => realNow() + shiftMs;
  globalThis.Date = new Proxy(Date, {
    construct: (target, args: unknown[]) => Reflect.construct(target, args.length === 0 ? [Date.now()] : args) as Date,
  });
}

process.on('SIGUSR2', () => {
  const end = performance.now() + BLOCK_MS;
  while (performance.now() < end) continue;
});

const [from, to] = (process.env['KASCADE_TEST_ROUTE'] ?? '').split(' ').map(Number);

interface Address {
  readonly port?: number | string;
}

if (from !== undefined && to !== undefined) {
  const reroute = <Options extends Address>(options: Options) =>
    Number(options.port) === from ? { ...options, port: to } : options;
  const descriptor = Object.getOwnPropertyDescriptor(Socket.prototype, 'connect');
  Object.defineProperty(Socket.prototype, 'connect', {
    ...descriptor,
    value: new Proxy(descriptor?.value as () => Socket, {
      apply: (connect, socket, args: unknown[]) => {
        const [first] = args;
        // Node itself calls it with its arguments made uniform: [options, callback].
        if (Array.isArray(first)) first[0] = reroute(first[0] as Address);
        else if (typeof first === 'object') args[0] = reroute(first as Address);
        return Reflect.apply(connect, socket, args) as Socket;
      },
    }),
  });
}
