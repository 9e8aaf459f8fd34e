/**
 * Saving a file the way real programs do, each step where theirs is. Half-written and briefly missing files are part
 * of it. All resolve when the save is complete.
 */
import { chmod, open, rename, rm, stat, writeFile } from 'node:fs/promises'

export type Save = (path: string, text: string) => Promise<void>

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** vim: the old file becomes the backup, the new one is written in its place and synced, the backup goes. */
async function vim(path: string, text: string): Promise<void> {
  const { mode } = await stat(path)
  await rename(path, `${path}~`)
  const file = await open(path, 'w')
  await file.writeFile(text)
  await file.sync()
  await file.close()
  await chmod(path, mode)
  await rm(`${path}~`)
}

/** VS Code: the file is truncated when it is opened, and written in place. */
async function inPlace(path: string, text: string): Promise<void> {
  const file = await open(path, 'w')
  await file.writeFile(text)
  await file.close()
}

let drafts = 0

/** `sed -i`: a file of another name in the same folder, and a rename. */
async function byRename(path: string, text: string): Promise<void> {
  const draft = path.replace(/[^/]+$/, `sed${String(++drafts).padStart(6, 'A')}`)
  await writeFile(draft, text)
  await rename(draft, path)
}

/** In place and in pieces, `gapMs` apart. */
export function inChunks(pieces: number, gapMs: number): Save {
  return async (path, text) => {
    const file = await open(path, 'w')
    const size = Math.ceil(text.length / pieces)
    for (let at = 0; at < text.length; at += size) {
      if (at > 0) await pause(gapMs)
      await file.write(text.slice(at, at + size))
    }
    await file.close()
  }
}

/** Empty for a while before anything is written. */
async function truncateFirst(path: string, text: string): Promise<void> {
  const file = await open(path, 'w')
  await pause(30)
  await file.writeFile(text)
  await file.close()
}

export const SAVES: Record<string, Save> = {
  'as vim does': vim,
  'as VS Code does': inPlace,
  'as sed -i does': byRename,
  'in chunks 5 ms apart': inChunks(4, 5),
  'in chunks 20 ms apart': inChunks(3, 20),
  'in chunks 35 ms apart': inChunks(3, 35),
  'emptied, and written 30 ms later': truncateFirst,
}
