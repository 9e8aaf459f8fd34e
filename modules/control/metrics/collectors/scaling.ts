/** What began and ended to run, and whether that went well: events of the kernel. */
import { counted, shareOf, type Collector, type Look, type Values } from '../look.ts'

export const scaling: Collector = { domain: 'scaling', collect }

function collect(look: Look): Values {
  const done = look.count('scale done')
  const all = done + look.count('scale failed')
  return { total_decisions: counted(all), success_rate: shareOf(done, all) }
}
