/**
 * What the bell hears with, and how another is put in its place: one watch a folder for the folders, chokidar for the
 * files outside them. A watcher only hints; it may lose, double or delay any hint, because the sweep makes up for it.
 * Made by the bell; a simulation hands in its own as `KernelOptions.watcher`.
 */
import type { CreateWatcher } from '../contracts/seams.ts'
import { Folders } from './folders.ts'
import { Outsiders } from './outsiders.ts'

export const createWatcher: CreateWatcher = (options) => {
  const { roots } = options
  const folders = new Folders(options)
  const outsiders = new Outsiders({
    ...options,
    inside: (path) => roots.some((folder) => path.startsWith(`${folder}/`)),
    hint: (path) => options.hint(path, true),
  })
  return {
    start: () => folders.start(),
    startMissing: () => folders.startMissing(),
    entered: (path) => folders.entered(path),
    left: (path) => folders.left(path),
    follow: (paths) => outsiders.follow(paths),
    close: async () => {
      folders.close()
      await outsiders.close()
    },
  }
}
