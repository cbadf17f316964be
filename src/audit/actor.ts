/** Who a user name stands for: a person, a service account, a node, nobody. */
import { boundedCache } from '../records/bounded-cache.ts'
import { redactText } from './redact-text.ts'
import { bounded, LIMITS } from './text.ts'

export interface Actor {
  readonly name: string
  /** How a sentence calls them: `alice`, `service account payments/ci`, `node worker-1`. */
  readonly called: string
  /** Set for service accounts, else empty. */
  readonly accountNamespace: string
  readonly accountName: string
}

const SERVICE_ACCOUNT = 'system:serviceaccount:'
const NODE = 'system:node:'

/** The actor behind a user name; an empty name is one that the API server did not authenticate yet. */
export const actorOf = boundedCache<Actor>(4096, (username) => {
  const name = redactText(bounded(username, LIMITS.name))
  const person: Actor = { name, called: callPerson(name), accountNamespace: '', accountName: '' }
  if (!name.startsWith(SERVICE_ACCOUNT)) return person
  const colon = name.indexOf(':', SERVICE_ACCOUNT.length)
  if (colon < 0) return person
  const accountNamespace = name.slice(SERVICE_ACCOUNT.length, colon)
  const accountName = name.slice(colon + 1)
  return { name, called: `service account ${accountNamespace}/${accountName}`, accountNamespace, accountName }
})

function callPerson(name: string): string {
  if (name === '') return 'an unknown user'
  if (name === 'system:anonymous') return 'an anonymous user'
  return name.startsWith(NODE) ? `node ${name.slice(NODE.length)}` : name
}
