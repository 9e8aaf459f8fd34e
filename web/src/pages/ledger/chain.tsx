/** The state of the chain: its head, whether it takes entries, and a check of all of it; its export. */
import { useState } from 'preact/hooks'
import { ask, type ApiAnswer } from '../../api/client.ts'
import { useAsk } from '../../api/use-ask.ts'
import { Action } from '../../parts/action.tsx'
import { Badge } from '../../parts/badge.tsx'
import { Banner } from '../../parts/banner.tsx'
import { Button } from '../../parts/button.tsx'
import { Card } from '../../parts/card.tsx'
import { CommandLine } from '../../parts/command-line.tsx'
import { AskedView } from '../../parts/states.tsx'
import { Time } from '../../parts/time.tsx'
import { toast, type ToastText } from '../../parts/toast.tsx'
import { refusalOf } from '../../api/client.ts'
import { commandOf } from '../../commands.ts'
import { Facts } from '../changes/facts.tsx'
import { bytesText, exportAll, faultText } from './words.ts'

type Check = ApiAnswer<'GET /api/ledger/verify'>
type Status = ApiAnswer<'GET /api/ledger'>

export function Chain() {
  const asked = useAsk({ on: ['proposal.*', 'approval.*', 'ledger.*'], every_ms: 5_000 }, 'GET /api/ledger', {
    query: { limit: 1 },
  })
  const [checked, setChecked] = useState<{ check: Check; at: number } | undefined>(undefined)
  const verify = async (): Promise<ToastText> => {
    const check = await ask('GET /api/ledger/verify')
    setChecked({ check, at: Date.now() })
    asked.again()
    const { valid, entries } = check
    return valid
      ? { tone: 'good', text: `${entries} entries, all as they were written` }
      : { tone: 'bad', text: faultText(check) }
  }
  return (
    <Card title="The chain">
      <AskedView asked={asked} label="The chain">
        {(status) => (
          <div class="stack">
            {!status.open && (
              <Banner tone="bad" title="The ledger is not what was written">
                Nothing is changed or approved until it is seen to. What serves, serves on.
              </Banner>
            )}
            <Head status={status} checked={checked} />
            <div class="row">
              <Action
                label="Verify"
                command={commandOf('verify')}
                preview={async () => (
                  <p>
                    Reads {status.head?.sequence ?? 0} entries ({bytesText(status.bytes)}) and computes each hash again.
                    Nothing is changed; if an entry is not what was written, the ledger closes.
                  </p>
                )}
                run={verify}
              />
              <Export />
            </div>
          </div>
        )}
      </AskedView>
    </Card>
  )
}

interface HeadProps {
  status: Status
  checked: { check: Check; at: number } | undefined
}

function Head({ status: { head, open, bytes }, checked }: HeadProps) {
  return (
    <Facts
      facts={[
        ['State', open ? <Badge tone="good">open</Badge> : <Badge tone="bad">closed</Badge>],
        ['Entries', head?.sequence ?? 0],
        ['Head', head === null ? 'none yet' : <code class="ledger-hash">{head.hash}</code>],
        ['Size', bytesText(bytes)],
        [
          'Checked here',
          checked === undefined ? (
            'not yet; it is checked at each start'
          ) : (
            <>
              <Badge tone={checked.check.valid ? 'good' : 'bad'}>{checked.check.valid ? 'whole' : 'not whole'}</Badge>{' '}
              {checked.check.valid ? `${checked.check.entries} entries` : faultText(checked.check)},{' '}
              <Time at={checked.at} />
            </>
          ),
        ],
      ]}
    />
  )
}

/** All of it as a file, one entry a line. */
function Export() {
  const [done, setDone] = useState<number | undefined>(undefined)
  const save = async (): Promise<void> => {
    setDone(0)
    try {
      const count = await exportAll(setDone)
      toast({ tone: 'good', text: `${count} entries are in ledger.jsonl` })
    } catch (thrown) {
      const { message, hint } = refusalOf(thrown)
      toast({ tone: 'bad', text: `The ledger is not exported: ${message}`, detail: hint })
    }
    setDone(undefined)
  }
  return (
    <>
      <Button busy={done !== undefined} onClick={() => void save()}>
        {done === undefined ? 'Export' : `${done} entries …`}
      </Button>
      <CommandLine command={commandOf('export')} />
    </>
  )
}
