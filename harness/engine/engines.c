/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "base/xalloc.h"
#include "engine/engines.h"
#include "engine/kvm/kvm.h"
#include "engine/linux.h"
#include "engine/tcg.h"

const struct engine *const engines[NR_ENGINES] = {
#define ENGINE_DEF(id, name, symbol) [ENGINE_##id] = &symbol,
#include "engine/engine.def"
#undef ENGINE_DEF
};

/* kvm where the CPU runs the guest's ring 0 itself; where nothing else is to be had, also a slow
 * one. The choice is made once: later cells of a run get the same engine. */
static const struct engine *choose(const char **why)
{
	static const struct engine *chosen;
	static char *because;
	const char *no_kvm, *no_tcg;

	if (!chosen) {
		no_kvm = engine_kvm.unavailable();
		if (!no_kvm && !kvm_interprets_ring0()) {
			chosen = &engine_kvm;
			because = xstrdup("/dev/kvm runs the guest's ring 0 on the CPU");
		} else {
			no_tcg = engine_tcg.unavailable();
			chosen = no_tcg && !no_kvm ? &engine_kvm : &engine_tcg;
			because = no_tcg && !no_kvm
					  ? xasprintf("there is no tcg: %s", no_tcg)
					  : xasprintf("%s", no_kvm ? no_kvm : engine_kvm.caveat());
		}
	}
	*why = because;
	return chosen;
}

const struct engine *engine_find(const char *name, const char **why)
{
	enum engine_id id;

	if (!strcmp(name, ENGINE_AUTO))
		return choose(why);
	*why = "asked for by name";
	return engine_id_find(name, &id) ? engines[id] : NULL;
}
