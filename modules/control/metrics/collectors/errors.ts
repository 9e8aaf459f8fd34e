/** Failures of services, by the kernel's counts; their kinds, by its events. */
import { counted, shareOf, sumOf, type Collector, type Look, type Values } from '../look.ts'
import { roleOf } from '../roles.ts'

export const errors: Collector = { domain: 'errors', collect }

function collect(look: Look): Values {
  const [found, calls] = [look.counts('errors'), look.counts('calls')]
  const working = look.scene.services.filter(({ prog }) => roleOf(prog) !== 'system').map(({ api }) => api)
  const of = (some: ReadonlyMap<string, number>): number => sumOf(working.map((api) => some.get(api) ?? 0))
  return {
    total_findings: counted(sumOf(found.values())),
    kinds: counted(look.counts('failure').size),
    error_rate: shareOf(of(found), of(calls)),
  }
}
