/* The port the broker takes. librdkafka's test cluster knows only "any free port"; this sees
 * its bind() on the way to the kernel. */
#ifndef DEPLOY_DEVBROKER_PORT_H
#define DEPLOY_DEVBROKER_PORT_H

/* The next bind to any free port takes this one. 0: leaves it free. Before other threads start.
 */
void port_choose(unsigned port);

#endif
