/** Which services of the list are meant. Pure. */
import type { ServiceStatus } from '../../../../modules/contracts/kernel.ts'
import { attentionOf } from '../now/attention.ts'

/** `all`, `attention` (what wants a look), `stale`, or a state. */
export type Wanted = string

/** `text` is looked for in the name, what it does, and the path of its files. */
export function filtered(services: readonly ServiceStatus[], text: string, wanted: Wanted): readonly ServiceStatus[] {
  const words = text
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '')
  const found = words.length === 0 ? services : services.filter((service) => fits(service, words))
  if (wanted === 'all') return found
  if (wanted === 'stale') return found.filter(({ stale }) => stale)
  if (wanted !== 'attention') return found.filter(({ state }) => state === wanted)
  const names = new Set(attentionOf(found).map(({ api }) => api))
  return found.filter(({ api }) => names.has(api))
}

function fits({ api, prog, description, config_file, domain }: ServiceStatus, words: readonly string[]): boolean {
  const text = `${api} ${prog} ${description ?? ''} ${config_file} ${domain ?? ''}`.toLowerCase()
  return words.every((word) => text.includes(word))
}
