"""Published clients of Meta's Cloud API, unmodified, against Panal and against its sandbox alone."""
