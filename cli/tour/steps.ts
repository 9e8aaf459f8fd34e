/**
 * The tour: ten minutes on real services, without a key. Each step is something a person could do with an editor and a
 * terminal; `act` does it for them, and `check` looks at the system itself for what came of it, whoever did it. A step
 * may be skipped. Led by `mm demo tour` and by the page `Tour` of the dashboard.
 */
import { attackStep } from './attack.ts'
import { improveSteps } from './improve.ts'
import { kernelSteps } from './kernel.ts'
import { liveSteps } from './live.ts'
import { recordSteps } from './record.ts'
import type { TourWorld } from './world.ts'

export interface TourStep {
  id: string
  title: string
  /** what happens, and what to look for: two sentences */
  text: string
  /** what somebody does who does it by hand */
  hand: string
  /** the page of the dashboard that shows it */
  page: string
  act(world: TourWorld): Promise<void>
  /** What the system shows of it; undefined: nothing yet. Rejects only when the system does not answer. */
  check(world: TourWorld): Promise<string | undefined>
}

export const TOUR: readonly TourStep[] = [...liveSteps, ...improveSteps, attackStep, ...kernelSteps, ...recordSteps]
