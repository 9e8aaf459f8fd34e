/**
 * From a meta file to a kernel: which file its `prog` names, what the whole is made from, and the loaded kernel. Used
 * by `run.ts` at boot and by the running kernel for the one that may follow it.
 */
import { join } from 'node:path'
import type { KernelSource } from '../contracts/kernel.ts'
import type { KernelClass, KernelOptions, NextKernel } from '../contracts/kernel-port.ts'
import type { JsonMap, Scan } from '../contracts/seams.ts'
import { coded } from './errors.ts'
import { shortHash } from './hash.ts'
import { readMeta } from './meta-files.ts'
import { parseVersionName } from './version-name.ts'

export type KernelPlaces = Pick<KernelOptions, 'root' | 'packageRoot' | 'fs' | 'loader'>

/** What a meta file names. Nothing of it has been evaluated. */
export interface FoundKernel {
  source: KernelSource
  meta: JsonMap & { prog: string }
  scan: Scan
}

/** Throws a coded error when the meta file or the kernel's file cannot be used. `path` is from the root. */
export function findKernel(places: KernelPlaces, path: string): FoundKernel {
  const text = places.fs.read(join(places.root, path))
  if (text === undefined) throw coded('file_missing', { path }, { file: path })
  const meta = readMeta(path, text)
  const scan = places.loader.scan(kernelFile(places, meta.prog, meta['overrides']))
  const source = { meta_file: path, version: metaVersion(path), config_hash: shortHash(text), source_key: scan.key }
  return { source, meta, scan }
}

/** '0' for a name without a version. */
export function metaVersion(path: string): string {
  const name = parseVersionName(path.split('/').at(-1) ?? '')
  return (name === 'invalid' ? null : name?.version) ?? '0'
}

export type KernelWorld = Omit<KernelOptions, 'metaFile' | 'meta' | 'madeFrom'>

/** Constructed, not booted. `generation` tells its code from that of other kernels in stacks. */
export async function loadKernel(
  world: KernelWorld,
  { source, meta, scan }: FoundKernel,
  generation: number,
  evaluate_ms: number,
): Promise<NextKernel> {
  const evaluated = await world.loader.evaluate(scan, { service: 'kernel', generation }, { evaluate_ms })
  try {
    const { Kernel } = evaluated.exports as { Kernel?: KernelClass }
    if (typeof Kernel !== 'function') throw coded('no_kernel_class', { prog: meta.prog }, { file: scan.entry })
    const kernel = new Kernel({ ...world, metaFile: source.meta_file, meta, madeFrom: { source, scan } })
    return { kernel, source, release: () => evaluated.release() }
  } catch (thrown) {
    evaluated.release()
    throw thrown
  }
}

/** The package's own kernel, unless the meta file's `overrides:` allows the root to bring another for that name. */
function kernelFile({ root, packageRoot, fs }: KernelPlaces, prog: string, overrides: unknown): string {
  const allowed = prog !== 'kernel' || (typeof overrides === 'object' && overrides !== null && 'kernel' in overrides)
  const folders = [...(allowed ? [join(root, 'modules')] : []), join(packageRoot, 'modules')]
  const name = prog.split('/').at(-1)
  for (const folder of folders) {
    for (const ending of [`/${name}.ts`, '/index.ts', '.ts', '.mjs', '.js', `/${name}.js`, '/index.js']) {
      const path = join(folder, prog + ending)
      if (fs.stat(path)?.kind === 'file') return path
    }
  }
  throw coded('prog_not_found', { prog })
}
