/** The contract kit: one call per component, at the top of its test file. */
export { definitionContract } from './definition-contract.ts'
export { type Destination, exporterContract, type Mood } from './exporter-contract.ts'
export { processorContract } from './processor-contract.ts'
export { receiverContract, type Source } from './receiver-contract.ts'
