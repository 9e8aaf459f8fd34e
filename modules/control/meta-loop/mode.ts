/** Which cadence holds: somebody who is away has it faster, kept over restarts; else it is that of the config. */
import type { CadenceMode } from '../../contracts/meta-loop.ts'
import { AWAY_SINCE } from './kept.ts'
import type { Means } from './means.ts'

export function modeOf({ store, config }: Pick<Means, 'store' | 'config'>): CadenceMode {
  return typeof store.get(AWAY_SINCE) === 'number' ? 'aggressive' : config.cadence.mode
}
