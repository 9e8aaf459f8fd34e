/** What `mm kernel` and `GET /api/kernel` show: what runs, which versions there are, and what became of them. Reads only. */
import type { KernelChange, KernelInfo } from '../contracts/kernel.ts'
import { metaVersion } from '../lib/kernel-source.ts'
import { findMetaFiles } from '../lib/meta-files.ts'
import type { KernelSwap } from './kernel-swap.ts'
import type { Machine } from './machine.ts'

export function kernelInfo(
  machine: Machine,
  swap: KernelSwap,
  { history, bornAt }: { history: KernelChange[]; bornAt: number },
): KernelInfo {
  const { root, fs, metaFile, meta, switchboard, fallbacks, clock } = machine.options
  const { found, refused } = swap.wanted()
  const stateOf = (path: string): KernelInfo['versions'][number]['state'] => {
    if (path === metaFile) return 'running'
    if (refused.has(path)) return 'refused'
    return path === found?.source.meta_file ? 'wanted' : 'older'
  }
  return {
    config_hash: swap.source?.config_hash ?? '',
    source_key: swap.source?.source_key ?? '',
    meta_file: metaFile,
    version: metaVersion(metaFile),
    prog: String(meta['prog'] ?? 'kernel'),
    uptime_s: Math.round((clock.monotonic() - bornAt) / 100) / 10,
    on_probation: switchboard.probation,
    versions: findMetaFiles(root, fs).map(({ path }) => ({
      meta_file: path,
      version: metaVersion(path),
      state: stateOf(path),
      error: refused.get(path) ?? null,
    })),
    fallbacks: [...(fallbacks ?? [])],
    history: [...history],
  }
}
