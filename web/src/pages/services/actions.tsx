/** What can be done with a service: each shows first what it would touch, and tells what came of it. */
import type { ComponentChildren } from 'preact'
import { ask, refusalOf } from '../../api/client.ts'
import { commandOf } from '../../commands.ts'
import { Action } from '../../parts/action.tsx'
import { Planned } from '../../parts/planned.tsx'
import { hrefOf } from '../../route.ts'
import { rollbackCompared, undoCompared, type Compared } from './compared.ts'
import type { Happening } from '../now/happenings.tsx'
import type { Detail } from './one.tsx'
import { Differences } from './differences.tsx'
import { told } from './told.ts'

const HAPPENED = 200

export function Actions({ detail }: { detail: Detail }) {
  const { api, state } = detail
  const given = { params: { api } }
  const isHeld = state === 'quarantined'
  return (
    <div class="row">
      <Action
        label="Reload"
        command={commandOf('reload', { service: api })}
        preview={() => reloadPreview(detail)}
        run={async () => told('reloaded', detail, await ask('POST /api/services/{api}/reload', given))}
      />
      <Action
        label="Roll back"
        command={commandOf('rollback', { service: api })}
        preview={() => backPreview(detail, 'rollback')}
        run={async () => told('rolled back', detail, await ask('POST /api/services/{api}/rollback', given))}
      />
      <Action
        label="Undo"
        command={commandOf('undo', { what: api })}
        preview={() => backPreview(detail, 'undo')}
        run={async () => told('undone', detail, await ask('POST /api/services/{api}/undo', given))}
      />
      {isHeld && (
        <Action
          label="Release"
          command={commandOf('release', { service: api })}
          preview={() => releasePreview(detail)}
          run={async () => told('released', detail, await ask('POST /api/services/{api}/release', given))}
        />
      )}
      <a class="button is-link" href={hrefOf('changes', [], { tab: 'improve', service: api })}>
        Improve
      </a>
    </div>
  )
}

/** Its files as they stand, taken as changed: who calls it, what becomes of its state, what goes with it. */
async function planned({ api, config_file }: Detail): Promise<ComponentChildren> {
  const { changes } = await ask('POST /api/plan', { body: { files: [{ path: config_file }] } })
  return <Planned changes={changes.filter((one) => one.api === api)} />
}

async function reloadPreview(detail: Detail): Promise<ComponentChildren> {
  return (
    <>
      <p>What stands on disk is loaded as a new version; calls that are under way end on the one that serves.</p>
      {await planned(detail)}
      <h3>On disk, against what runs</h3>
      {await differences(detail.api, { from: 'live', to: 'disk' })}
    </>
  )
}

async function backPreview(detail: Detail, way: 'rollback' | 'undo'): Promise<ComponentChildren> {
  const happened = await happenedTo(detail.api)
  const compared = way === 'undo' ? undoCompared(happened, detail) : rollbackCompared(happened, detail)
  return (
    <>
      <p>
        {way === 'undo'
          ? 'The bytes before the last change are written back to disk, and run. If the files have moved on since, nothing is done.'
          : 'The version before serves again. The disk stays as it is, and what stands on it is not loaded until it changes.'}
      </p>
      {await planned(detail)}
      <h3>{way === 'undo' ? 'What is written' : 'What serves then'}</h3>
      {await differences(detail.api, compared)}
    </>
  )
}

async function releasePreview(detail: Detail): Promise<ComponentChildren> {
  const kills = Object.entries(detail.sandbox?.kills ?? {})
  return (
    <>
      <p>It leaves its quarantine and starts. When it breaks its limits again, it goes back there.</p>
      {detail.last_error !== null && <p class="dim">{detail.last_error.message}</p>}
      {kills.length > 0 && <p>It broke {kills.map(([code, count]) => `${code} (${count} times)`).join(', ')}.</p>}
      {await planned(detail)}
    </>
  )
}

/** Without a history it is not known what was before. */
const happenedTo = async (api: string): Promise<readonly Happening[]> =>
  ask('GET /api/history', { query: { service: api, limit: HAPPENED, all: 'true' } }).then(
    ({ changes }) => changes,
    () => [],
  )

async function differences(api: string, compared: Compared | undefined): Promise<ComponentChildren> {
  if (compared === undefined) return <p class="dim">It is not known what the version before was made from.</p>
  try {
    return <Differences diff={await ask('GET /api/services/{api}/diff', { params: { api }, query: { ...compared } })} />
  } catch (thrown) {
    return <p class="dim">{refusalOf(thrown).message}</p>
  }
}
