/**
 * Cordis started as its own command line starts it: the core, its loader, and its include of one `cordis.yml`.
 * Used by bench/cordis.ts for its edits.
 */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Context } from '@deepseek-ai/cordis'
import { Include } from '@deepseek-ai/cordis-plugin-include'
import { Loader } from '@deepseek-ai/cordis-plugin-loader'

export interface CordisApp {
  readonly root: Context
  readonly include: Include
}

export async function startCordis(folder: string): Promise<CordisApp> {
  const root = new Context()
  root.baseUrl = pathToFileURL(join(folder, '/')).href
  await root.plugin(Loader)
  const id = await root.loader.create({
    name: '@deepseek-ai/cordis-plugin-include',
    config: { path: './cordis.yml' },
  })
  await root.loader.await()
  return { root, include: root.loader.resolve(id).subtree as Include }
}

export const answerOf = (root: Context, name: string): unknown => (root.get(name) as { answer(): unknown }).answer()
