"""Everything-mode: finding all objects of an image and picking some."""
