/** The blast radius of an action that waits, as it would be now. */
import { ask } from '../../api/client.ts'
import { useLoad } from '../../api/use-ask.ts'
import { Planned } from '../../parts/planned.tsx'
import { AskedView } from '../../parts/states.tsx'
import { proposalOf, type Approval } from './words.ts'

interface File {
  path: string
  text?: string | null
}

/** With what the files would hold, where that is known: then a config tells which of its keys would change. */
async function filesOf(approval: Approval): Promise<File[]> {
  const change = proposalOf(approval)
  if (change === undefined) return (approval.bases ?? []).map(({ path }) => ({ path }))
  const { edits } = await ask('GET /api/changes/{id}', { params: { id: change } })
  return edits.map(({ path, text }) => ({ path, text }))
}

export function Touches({ approval }: { approval: Approval }) {
  const asked = useLoad({ on: ['service.*'] }, [approval.id], async () => {
    const files = await filesOf(approval)
    if (files.length === 0) return undefined
    return { files, ...(await ask('POST /api/plan', { body: { files } })) }
  })
  return (
    <AskedView asked={asked} label="What it would touch">
      {(found) =>
        found === undefined ? (
          <p>No file: it is a call, made once when it is approved.</p>
        ) : (
          <div class="stack">
            {found.files.length > 1 && <p class="dim">{found.files.length} files, all of them or none.</p>}
            <Planned changes={found.changes} />
          </div>
        )
      }
    </AskedView>
  )
}
