import { buildDashboard } from './build.ts';
import { serveDashboard, type Dashboard } from './serve.ts';

/** The page, on the port after Kascade's or on any free one. Undefined where it cannot be built: the demo does without. */
export async function openDashboard(kascadePort: number): Promise<Dashboard | undefined> {
  try {
    const folder = await buildDashboard();
    const next = kascadePort === 0 ? 0 : kascadePort + 1;
    return await serveDashboard(folder, next).catch(() => serveDashboard(folder, 0));
  } catch (error) {
    process.stderr.write(`The page is not there: ${error instanceof Error ? error.message : String(error)}\n`);
    return undefined;
  }
}
