/**
 * Where attacks happen: a real system in a root of its own, with a trusted service that guests may be granted (`victim`), a
 * guest that an attacker may share a process with (`tenant`), and a neighbor in a process of its own that is called all the time. What the attacks do to this process and to the
 * neighbor is measured while they run.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { realSandboxes, type RealSandboxes } from '../support/sandboxes.ts'
import { startSystem, type TestSystem } from '../support/system.ts'

const VICTIM = `
export class Module {
  constructor(kernel) { this.kernel = kernel }
  echo(value) { return value }
  keep(value) { this.kept = value }
  kindOf(value) { return typeof value }
  large(chars) { return 'x'.repeat(chars) }
  fail() { throw Object.assign(new Error('refused by the victim'), { path: import.meta.url, kernel: 'secret' }) }
  back(api, method) { return this.kernel.getApi(api)[method]() }
  shout() { this.kernel.events.emit('victim.shouted', {}) }
  heard = []
  init() { this.kernel.events.on('forged.*', ({ type }) => { this.heard.push(type) }) }
  whatHeard() { return this.heard }
  forward(api, method, ...args) { return this.kernel.getApi(api)[method](...args) }
  _secret() { return 'secret' }
  getAspect(name) { return name === 'tool' ? { echo: { description: 'Echo.', params: { type: 'object' }, run: () => 'secret' } } : undefined }
}
`

const NEIGHBOR = 'export class Module { n = 0; beat() { return ++this.n } }\n'

const FILES: Record<string, string> = {
  'configs/meta-v1.0.0.yml': 'prog: kernel\nlimits: {sandbox_processes_max: 64}\n',
  'configs/database.yml': 'prog: services/database\nsandbox: false\n',
  'configs/filesystem.yml': 'prog: services/filesystem\n',
  'configs/fetch.yml': 'prog: services/fetch\nhosts: ["*:*"]\n',
  'configs/victim.yml': '',
  'configs/neighbor.yml': 'sandbox: {isolation: own}\n',
  'configs/tenant.yml': 'prog: neighbor\nsandbox: {group: tenants}\n',
  'modules/victim.ts': VICTIM,
  'modules/neighbor.ts': NEIGHBOR,
}

export interface Measured {
  /** of the neighbor, over all that happened */
  beats: number
  failed_beats: number
  loop_delay_p99_ms: number
  loop_delay_max_ms: number
}

export interface World {
  readonly system: TestSystem
  /** processes of sandboxes that were ever seen */
  readonly pids: Set<number>
  measured(): Measured
  /** This process's memory now, from which on its growth is looked at. */
  markRss(): number
  growthSince(rss: number): number
  /** Ends everything, and says which of the processes are left. */
  end(): Promise<{ left: number[] }>
}

const BEAT_MS = 20
const GONE_MS = 10_000
const MB = 1024 * 1024

export async function startWorld(): Promise<World> {
  let sandboxes: RealSandboxes | undefined
  const system = await startSystem(FILES, {
    sandboxes: ({ root, fault, log }) => {
      sandboxes = realSandboxes(fault, { root, log })
      return sandboxes
    },
  })
  await Promise.all([system.live('neighbor'), system.live('tenant')])
  const neighbor = system.getApi<{ beat(): number }>('neighbor')
  await neighbor.beat()
  const pids = new Set<number>()
  const counts = { beats: 0, failed_beats: 0 }
  let most = 0
  const delay = monitorEventLoopDelay({ resolution: 5 })
  delay.enable()
  const timer = setInterval(() => {
    most = Math.max(most, process.memoryUsage.rss())
    counts.beats++
    neighbor.beat().catch(() => counts.failed_beats++)
  }, BEAT_MS)
  return {
    system,
    pids,
    measured: () => ({
      ...counts,
      loop_delay_p99_ms: delay.percentile(99) / 1e6,
      loop_delay_max_ms: delay.max / 1e6,
    }),
    markRss() {
      most = process.memoryUsage.rss()
      return most
    },
    growthSince: (rss) => Math.round((Math.max(most, process.memoryUsage.rss()) - rss) / MB),
    async end() {
      clearInterval(timer)
      delay.disable()
      await system.stop()
      await sandboxes?.close()
      // Killed is not gone yet: the machine takes its time.
      for (const until = performance.now() + GONE_MS; [...pids].some(isThere) && performance.now() < until; )
        await new Promise((resolve) => setTimeout(resolve, BEAT_MS))
      return { left: [...pids].filter(isThere) }
    },
  }
}

export function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
