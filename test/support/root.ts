/** A root of its own for each test, in the system's temporary folder, removed afterwards. */
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const packageRoot = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')

export const META = 'prog: kernel\n'

export interface TestRoot {
  readonly path: string
  /** In place, as `sed -i` does not and most editors do. */
  write(file: string, text: string): void
  /** Beside and renamed, as careful editors do. */
  writeByRename(file: string, text: string): void
  read(file: string): string
  remove(file: string): void
  dispose(): void
}

const newFolder = (): string => mkdtempSync(join(tmpdir(), 'mm-test-'))

/** `files`: path from the root → text. A meta file is added unless one is given. `folder`: an empty one. */
export function createRoot(files: Record<string, string> = {}, folder = newFolder()): TestRoot {
  const root = rootAt(folder)
  for (const name of ['configs', 'modules', 'prompts', 'runtime']) mkdirSync(join(root.path, name))
  if (!Object.keys(files).some((file) => file.startsWith('configs/meta'))) root.write('configs/meta-v1.0.0.yml', META)
  for (const [file, text] of Object.entries(files)) root.write(file, text)
  return root
}

/** A folder that is there. */
export function rootAt(path: string): TestRoot {
  const at = (file: string): string => join(path, file)
  const write = (file: string, text: string): void => {
    mkdirSync(dirname(at(file)), { recursive: true })
    writeFileSync(at(file), text)
  }
  return {
    path,
    write,
    writeByRename: (file, text) => {
      write(`${file}.draft~`, text)
      renameSync(at(`${file}.draft~`), at(file))
    },
    read: (file) => readFileSync(at(file), 'utf8'),
    remove: (file) => rmSync(at(file), { recursive: true, force: true }),
    dispose: () => rmSync(path, { recursive: true, force: true }),
  }
}
