/** A loader over a root of its own, with the faults it was told of. */
import { join } from 'node:path'
import type { CodeOwner, Evaluated } from '../../modules/contracts/seams.ts'
import { realClock } from '../../modules/lib/clock.ts'
import { realFileSystem } from '../../modules/lib/file-system.ts'
import { ModuleLoader } from '../../modules/loader/loader.ts'
import { createRoot, packageRoot, type TestRoot } from './root.ts'

export interface TestLoader {
  root: TestRoot
  loader: ModuleLoader
  faults: { thrown: unknown; owner: CodeOwner }[]
  /** Resolves with the next fault. */
  nextFault(): Promise<{ thrown: unknown; owner: CodeOwner }>
  load(file: string, service?: string, generation?: number): Promise<Evaluated>
  dispose(): void
}

export function createLoader(files: Record<string, string>): TestLoader {
  const root = createRoot(files)
  const faults: TestLoader['faults'] = []
  const waiting: ((fault: TestLoader['faults'][number]) => void)[] = []
  const loader = new ModuleLoader({
    root: root.path,
    packageRoot,
    fs: realFileSystem,
    clock: realClock,
    fault: (thrown, owner) => {
      faults.push({ thrown, owner })
      waiting.shift()?.({ thrown, owner })
    },
  })
  return {
    root,
    loader,
    faults,
    nextFault: () => new Promise((resolve) => waiting.push(resolve)),
    load: async (file, service = 'test', generation = 1) => {
      const scan = loader.scan(join(root.path, file))
      return loader.evaluate(scan, { service, generation }, { evaluate_ms: 5_000 })
    },
    dispose: () => {
      loader.dispose()
      root.dispose()
    },
  }
}
