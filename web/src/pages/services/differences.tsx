/** What differs between two versions, file by file, as the API tells it: patches with their lines marked. */
import { useMemo } from 'preact/hooks'
import type { ApiAnswer } from '../../api/client.ts'
import { MarkedLines } from '../../parts/marked-lines.tsx'
import { patchFiles } from '../../parts/patch-lines.ts'

export type VersionDiff = ApiAnswer<'GET /api/services/{api}/diff'>

export function Differences({ diff }: { diff: VersionDiff }) {
  if (diff.files.length === 0) return <p class="dim">No difference.</p>
  return (
    <>
      {diff.files.map(({ path, change, lines_added, lines_removed, patch }) => (
        <figure key={path} class="diff">
          <figcaption>
            <code>{path}</code> {change}, +{lines_added} −{lines_removed}
          </figcaption>
          <Lines patch={patch} path={path} />
        </figure>
      ))}
    </>
  )
}

/** The API names each file itself, so its patch holds one. */
function Lines({ patch, path }: { patch: string; path: string }) {
  const lines = useMemo(() => patchFiles(patch).flatMap((file) => file.lines), [patch])
  return <MarkedLines lines={lines} label={`Changes of ${path}`} />
}
