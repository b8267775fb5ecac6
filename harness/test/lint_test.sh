# SPDX-License-Identifier: GPL-2.0-or-later
# What `make lint` promises to see: each fault, planted in a tree of its own.

tree() {
	tools=$(atf_config_get top)/harness/tools
	git init -q
	mkdir -p src/base src/top src/test docs
	echo 'int base_make(void);' >src/base/base.h
	echo '#include "src/base/base.h"' >src/top/top.c
	echo '#include "src/face.h"' >src/base/base.c
	touch src/face.h
	cat >docs/page.md <<-'END'
		`base_make()` is declared in `src/base/base.h`, in `base/`, that is `src/*/*.h`; [elsewhere](page.md#here).

		```
		└ base_make()    base.h
		```
	END
	git add .
}

atf_test_case tower
tower_body() {
	tree
	atf_check "$tools/tower.sh" src src/ "base top" test
	echo '#include "src/top/top.h"' >>src/base/base.c
	atf_check -s exit:1 -o match:'base.c:2: base/ includes src/top/top.h, which stands above it' \
		"$tools/tower.sh" src src/ "base top" test
	rm src/base/base.c
	git add .
	echo '#include "src/test/world.h"' >>src/top/top.c
	atf_check -s exit:1 -o match:'top.c:2: includes src/test/world.h, which lies apart' \
		"$tools/tower.sh" src src/ "base top" test
	git checkout -q src/top/top.c
	mkdir src/new
	touch src/new/new.c
	git add .
	atf_check -s exit:1 -o match:'src/new: stands nowhere in the order of src/' \
		"$tools/tower.sh" src src/ "base top" test
}

# A page that says this, too, is found out in its last line.
misnamed() {
	printf '%s\n' "$1" >docs/more.md
	git add .
	atf_check -s exit:1 -o match:"^docs/more.md:$(wc -l <docs/more.md): $2" "$tools/doc_names.sh" docs/page.md docs/more.md
}

atf_test_case doc_names
doc_names_body() {
	tree
	atf_check "$tools/doc_names.sh" docs/page.md
	misnamed '`base_break()`' 'base_break\(\) is nowhere in the code'
	misnamed '`src/top/base.h`' 'there is no src/top/base.h'
	misnamed '`top.h`' 'there is no top.h'
	misnamed '`middle/`' 'there is no folder middle/'
	misnamed '[elsewhere](pages.md)' 'the link to pages.md leads nowhere'
	misnamed "$(printf '```\n└ base_make() → base_break()')" 'base_break\(\) is nowhere'
	misnamed "$(printf 'a `name that\nbase_break()` goes on')" 'base_break\(\) is nowhere'
	echo 'What `base_make()` and base_break() do, and what stands in `NAME.c`.' >docs/more.md
	atf_check "$tools/doc_names.sh" docs/more.md
}

atf_init_test_cases() {
	atf_add_test_case tower
	atf_add_test_case doc_names
}
