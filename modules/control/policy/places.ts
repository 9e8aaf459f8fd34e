/**
 * Where a path really leads, and which service a config is for: what the policy has to look up of a change. What the
 * kernel says of its services is kept until one of them changes. Used by the policy's module.
 */
import { realpathSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import type { KernelServiceApi } from '../../contracts/kernel.ts'
import type { Handle, KernelApi } from '../../contracts/module.ts'
import type { Change } from '../../contracts/policy.ts'
import type { ChangeFacts } from './judge.ts'

type Configs = ReadonlyMap<string, { api: string; prog: string }>

export class Places {
  private readonly system: Handle<KernelServiceApi>
  private readonly root: string
  /** by the config's path, from the root */
  private known: Promise<Configs> | undefined

  constructor(kernel: KernelApi) {
    this.system = kernel.getApi<KernelServiceApi>('kernel')
    this.root = realpathSync.native(kernel.paths.root)
    for (const pattern of ['service.*', 'config.*'])
      kernel.events.on(pattern, () => {
        this.known = undefined
      })
  }

  async factsOf(change: Change): Promise<ChangeFacts> {
    if (change.kind === 'grant' || change.kind === 'tool') return {}
    const written = change.kind === 'file' ? change.path : change.file
    const path = this.leadsTo(written)
    if (!path.startsWith('configs/')) return { path }
    const configs = await this.configs()
    const config = configs.get(path) ?? configs.get(written)
    return config === undefined ? { path } : { path, config }
  }

  /** What does not exist yet leads where its nearest folder does. Throws when that cannot be told. */
  private leadsTo(path: string): string {
    let existing = join(this.root, path)
    let rest = ''
    for (;;) {
      try {
        return relative(this.root, join(realpathSync.native(existing), rest))
      } catch (thrown) {
        if ((thrown as { code?: unknown }).code !== 'ENOENT' || existing === this.root) throw thrown
        rest = join(basename(existing), rest)
        existing = dirname(existing)
      }
    }
  }

  private configs(): Promise<Configs> {
    if (this.known !== undefined) return this.known
    const asked = this.system
      .services()
      .then((all) => new Map(all.map(({ config_file, api, prog }) => [config_file, { api, prog }])))
    this.known = asked
    // A failure is not kept: the next question asks again.
    asked.catch(() => {
      if (this.known === asked) this.known = undefined
    })
    return asked
  }
}
