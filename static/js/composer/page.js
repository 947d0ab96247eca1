// The results page.

import "clipsite/composer/parts";
import "clipsite/composer/refine";
import "clipsite/composer/similar";
import "clipsite/search/weaker";
