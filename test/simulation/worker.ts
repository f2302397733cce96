import { simulate } from './simulation.ts';

/** Is sent seeds, one at a time, and sends back what became of them. */
process.on('message', (seed: number) => {
  void simulate(seed).then((outcome) => process.send?.(outcome));
});
