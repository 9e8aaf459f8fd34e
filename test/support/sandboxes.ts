/** Sandboxes for tests: with the real engine and the real scan, or with a scripted engine. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SandboxEngine } from '../../modules/contracts/sandbox.ts'
import type { SandboxPolicy } from '../../modules/contracts/sandbox-port.ts'
import type { FaultListener, Log } from '../../modules/contracts/seams.ts'
import type { DesiredService } from '../../modules/contracts/state.ts'
import { realClock } from '../../modules/lib/clock.ts'
import { toDesired } from '../../modules/lib/desired-service.ts'
import { realFileSystem } from '../../modules/lib/file-system.ts'
import { createEngine } from '../../modules/sandbox/engine/index.ts'
import { Sandboxes, type SandboxesOptions } from '../../modules/sandbox/host/sandboxes.ts'
import { FORBIDDEN_IMPORTS } from '../../modules/sandbox/scan/forbidden.ts'
import { scanSource } from '../../modules/sandbox/scan/scan.ts'
import { packageRoot } from './root.ts'

const silent = (): void => {}
const log: Log = { debug: silent, info: silent, warn: silent, error: silent, child: () => log }

export class RealSandboxes extends Sandboxes {
  readonly policy: SandboxPolicy = { processes_max: 8, forbidden_imports: undefined }
  readonly root: string
  private readonly ownsRoot: boolean

  constructor(options: SandboxesOptions, ownsRoot: boolean) {
    super(options)
    this.root = options.root
    this.ownsRoot = ownsRoot
  }

  override async close(): Promise<void> {
    await super.close()
    if (this.ownsRoot) rmSync(this.root, { recursive: true, force: true })
  }
}

/** Without `root` it has a folder of its own, which goes with it. */
export function realSandboxes(
  fault: FaultListener,
  options: Partial<SandboxesOptions> & { engine?: SandboxEngine } = {},
): RealSandboxes {
  const { root = mkdtempSync(join(tmpdir(), 'mm-sandbox-')), engine, ...rest } = options
  const load: SandboxesOptions['load'] = () =>
    Promise.resolve({
      engine: engine ?? createEngine({ clock: realClock }),
      scan: scanSource,
      forbidden: FORBIDDEN_IMPORTS,
    })
  const seams = { packageRoot, fs: realFileSystem, clock: realClock, log, fault, load }
  return new RealSandboxes({ ...seams, ...rest, root }, options.root === undefined)
}

/** What a config of these values asks for. */
export function desiredService(values: Parameters<typeof toDesired>[1] & { api: string }): DesiredService {
  const name = { file: { path: `${values.api}.yml` }, base: values.api, version: { version: null } }
  return toDesired(name, values, {}) as DesiredService
}
